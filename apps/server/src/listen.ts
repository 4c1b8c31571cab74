import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFsStore, type UploadStore } from 'upload-store'
import { createApp } from './app.ts'
import { answerClientErrors } from './client-errors.ts'
import { type Config, ConfigError } from './config.ts'
import { inOrder } from './in-order.ts'
import { createLogger } from './log.ts'
import { detectType } from './media-type.ts'
import { handleExpectations } from './request-body.ts'
import { keepTidy } from './tidy.ts'

/** How often a draining server looks for connections that have become idle. */
const DRAIN_INTERVAL = 50

/** Node's request timeout would end every upload after 5 minutes; the pace of a body is watched instead. */
const TIMEOUTS = { requestTimeout: 0, headersTimeout: 15_000, connectionsCheckingInterval: 5000 }

export interface RunningServer {
  /** The local URL, without a slash at the end. */
  readonly url: string
  /** Refuses new connections, lets requests in flight finish within `shutdownTimeout`, and closes the store. */
  close(): Promise<void>
}

/** Opens the store and accepts requests when it resolves. */
export async function listen(config: Config): Promise<RunningServer> {
  const logger = createLogger(config)
  const store = openStore(config)
  const recovered = await store.recover()
  if (Object.values(recovered).some((count) => count > 0)) logger.info(recovered, 'recovered the store')
  const handler = inOrder(createApp(config, store, logger).callback())
  const server = createServer(TIMEOUTS, handler)
  handleExpectations(server, handler)
  answerClientErrors(server, logger)
  await bind(server, config)
  const stopTidying = keepTidy(store, logger)
  return {
    url: urlOf(server),
    close: async () => {
      stopTidying()
      await drain(server, config.shutdownTimeout)
      await store.close()
    },
  }
}

function openStore({ data, maxFileSize, maxTotalSize, accept }: Config): UploadStore {
  try {
    return createFsStore(data, { maxFileSize, maxTotalSize, accept, detectType })
  } catch (error) {
    throw new ConfigError(`--data cannot be used: ${error instanceof Error ? error.message : error}`)
  }
}

function bind(server: Server, { host, port }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo
  if (address === '::' || address === '0.0.0.0') return `http://127.0.0.1:${port}`
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

function drain(server: Server, timeout: number): Promise<void> {
  return new Promise((resolve) => {
    // Keep-alive connections end as soon as their response is out, not when their idle time is over.
    const sweep = setInterval(() => server.closeIdleConnections(), DRAIN_INTERVAL)
    const deadline = setTimeout(() => server.closeAllConnections(), timeout)
    server.close(() => {
      clearInterval(sweep)
      clearTimeout(deadline)
      resolve()
    })
    server.closeIdleConnections()
  })
}
