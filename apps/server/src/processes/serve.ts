import type { Server } from 'node:http'
import type { Http2SecureServer } from 'node:http2'
import type { AddressInfo, Server as NetServer } from 'node:net'
import { enableSendfile } from 'koa-range-stream/sendfile'
import type { Logger } from 'pino'
import type { UploadStore } from 'upload-store'
import { createApp } from '../app.ts'
import type { Config } from '../config/config.ts'
import { Connections } from '../connections/connections.ts'
import { answerClientErrors } from '../connections/parse-errors.ts'
import { inOrder } from '../connections/pipelining.ts'
import { closeSessions, createHttpServer } from '../connections/server.ts'
import { endStalledConnections } from '../connections/stalled-connections.ts'
import { readCertificate } from '../connections/tls.ts'
import { handleExpectations } from '../http/expect-continue.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { RequestTraces } from '../observe/traces.ts'
import { Readiness } from '../routes/readiness.ts'
import type { Slots } from '../uploads/slots.ts'
import type { UploadCount } from '../uploads/unfinished-uploads.ts'
import { warmUp } from './maintenance.ts'
import { sharedMetricsText } from './shared-metrics.ts'

/** How often a draining server looks for connections that have become idle. */
const DRAIN_INTERVAL = 50

export interface RunningServer {
  /** The local URL, without a slash at the end. */
  readonly url: string
  /** Reads the certificate again, for new connections. */
  reload(): void
  /** Refuses new connections, lets requests in flight finish within `shutdownTimeout`, and closes the store. */
  close(): Promise<void>
}

export interface ServeParts {
  readonly metrics: Metrics
  /** Those of all workers; none in a process that serves alone. */
  readonly slots?: Slots
  readonly uploads?: UploadCount
  readonly traces?: RequestTraces
}

/** Answers requests from the store in this process, and accepts them when it resolves. */
export async function serve(
  config: Config,
  store: UploadStore,
  logger: Logger,
  { metrics, ...shared }: ServeParts,
): Promise<RunningServer> {
  if (config.sendfile === 'on') enableSendfile()
  const readiness = new Readiness(store, config.readOnly)
  const metricsText =
    shared.slots === undefined
      ? () => metrics.registry.metrics()
      : sharedMetricsText(metrics.registry, logger)
  const app = createApp(config, store, { logger, metrics, metricsText, readiness, ...shared })
  const handler = inOrder(app.callback())
  const server = createHttpServer(readCertificate(config), config.trustProxy, config, handler)
  const connections = new Connections(server)
  metrics.watch(connections)
  endStalledConnections(server, connections, config.stallTimeout)
  const stopSessions = closeSessions(server)
  handleExpectations(server, handler)
  answerClientErrors(server, logger)
  const closed = new Promise<void>((resolve) => server.once('close', resolve))
  const { url } = await bind(server, config)
  warmUp(store, logger)
  return {
    url,
    reload: () => reload(server, config, logger),
    close: async () => {
      readiness.drain()
      const stop = drain(server, connections, config.shutdownTimeout)
      stopSessions()
      await closed
      // The server closes before the connections that it had to cut, whose responses are logged then.
      await connections.ended()
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
export function bind(server: NetServer, { host, port, tlsCert }: Config): Promise<Bound> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      const scheme = tlsCert === undefined ? 'http' : 'https'
      resolve(boundTo(scheme, server.address() as AddressInfo))
    })
  })
}

function boundTo(scheme: string, { address, family, port }: AddressInfo): Bound {
  if (address === '::' || address === '0.0.0.0') return { url: `${scheme}://127.0.0.1:${port}`, port }
  return { url: `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`, port }
}

/** A certificate that cannot be used changes nothing: the old one may still be good. */
function reload(server: Server | Http2SecureServer, config: Config, logger: Logger): void {
  try {
    const certificate = readCertificate(config)
    if (certificate === null || !('setSecureContext' in server)) return
    server.setSecureContext(certificate)
    logger.info('the certificate was reloaded')
  } catch (error) {
    logger.error({ err: error }, 'the certificate could not be reloaded; the old one stays in use')
  }
}

/** Closes a server, which node:cluster may have begun to do already; the returned function ends the watch over it. */
function drain(server: Server | Http2SecureServer, connections: Connections, timeout: number): () => void {
  // Keep-alive connections end as soon as their response is out, not when their idle time is over.
  const closeIdle = () => {
    if ('closeIdleConnections' in server) server.closeIdleConnections()
  }
  const idleTimer = setInterval(closeIdle, DRAIN_INTERVAL)
  const deadline = setTimeout(() => connections.destroy(), timeout)
  server.close()
  closeIdle()
  return () => {
    clearInterval(idleTimer)
    clearTimeout(deadline)
  }
}
