import { createServer, type Server } from 'node:http'
import type { AddressInfo, Server as NetServer } from 'node:net'
import type { Logger } from 'pino'
import type { UploadStore } from 'upload-store'
import { createApp } from './app.ts'
import { answerClientErrors } from './client-errors.ts'
import type { Config } from './config.ts'
import { inOrder } from './in-order.ts'
import { handleExpectations } from './request-body.ts'
import type { RequestViews } from './request-views.ts'
import { warmUp } from './tidy.ts'
import type { Slots } from './upload-slots.ts'

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

/** Answers requests from the store in this process, and accepts them when it resolves. */
export async function serve(
  config: Config,
  store: UploadStore,
  logger: Logger,
  slots?: Slots,
  views?: RequestViews,
): Promise<RunningServer> {
  const handler = inOrder(createApp(config, store, logger, slots, views).callback())
  const server = createServer(TIMEOUTS, handler)
  handleExpectations(server, handler)
  answerClientErrors(server, logger)
  const closed = new Promise<void>((resolve) => server.once('close', resolve))
  const { url } = await bind(server, config)
  warmUp(store, logger)
  return {
    url,
    close: async () => {
      const stop = drain(server, config.shutdownTimeout)
      await closed
      stop()
      await store.close()
    },
  }
}

export interface Bound {
  readonly url: string
  readonly port: number
}

/** Rejects with Node's error where the address cannot be listened on. */
export function bind(server: NetServer, { host, port }: Config): Promise<Bound> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve(boundTo(server.address() as AddressInfo))
    })
  })
}

function boundTo({ address, family, port }: AddressInfo): Bound {
  if (address === '::' || address === '0.0.0.0') return { url: `http://127.0.0.1:${port}`, port }
  return { url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`, port }
}

/** Closes a server, which node:cluster may have begun to do already; the returned function ends the watch over it. */
function drain(server: Server, timeout: number): () => void {
  // Keep-alive connections end as soon as their response is out, not when their idle time is over.
  const sweep = setInterval(() => server.closeIdleConnections(), DRAIN_INTERVAL)
  const deadline = setTimeout(() => server.closeAllConnections(), timeout)
  server.close()
  server.closeIdleConnections()
  return () => {
    clearInterval(sweep)
    clearTimeout(deadline)
  }
}
