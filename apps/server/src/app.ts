import Koa from 'koa'
import type { UploadHooks } from 'koa-resumable-upload'
import type { Logger } from 'pino'
import type { UploadStore } from 'upload-store'
import { createAccess } from './access/access.ts'
import type { Config } from './config/config.ts'
import { dispatch } from './http/dispatch.ts'
import { allowOrigins } from './middleware/cors.ts'
import { guard } from './middleware/guard.ts'
import { createLogger, logErrors } from './observe/log.ts'
import { Metrics } from './observe/metrics.ts'
import { observeRequests } from './observe/observe-requests.ts'
import { requestTracer } from './observe/trace-requests.ts'
import { createTraces, type RequestTraces } from './observe/traces.ts'
import { Readiness } from './routes/readiness.ts'
import { hotRoutes, routes } from './routes/routes.ts'
import { countSlots, meteredSlots, type Slots } from './uploads/slots.ts'
import { UnfinishedUploads, type UploadCount } from './uploads/unfinished-uploads.ts'

/** The objects that the app shares with the server process; defaults are for an app on its own. */
export interface AppParts {
  /** Functions of a program that composes the app, called in the life of each upload. */
  readonly hooks?: UploadHooks
  readonly logger?: Logger
  readonly slots?: Slots
  /** Counts the unfinished uploads, in this process or in the primary. */
  readonly uploads?: UploadCount
  readonly metrics?: Metrics
  /** Returns the text of `/metrics`. */
  readonly metricsText?: () => Promise<string>
  readonly readiness?: Readiness
  readonly traces?: RequestTraces
}

/**
 * Returns the server's app. Each request passes these layers: its log line and counts, the checks, and the handlers of its route.
 *
 * @throws ConfigError if the page has not been built
 *
 * @example
 * const config = loadConfig(['--data', 'videos'], process.env)
 * // Unlike createFsStore, openStore enforces `--accept`.
 * const store = await openStore(config)
 * const hooks: UploadHooks = { onComplete: (ctx, { size }) => { if (size === 0) ctx.throw(422, 'The file is empty.') } }
 * createApp(config, store, { hooks }).listen(config.port, config.host)
 */
export function createApp(config: Config, store: UploadStore, parts: AppParts = {}): Koa {
  const { logger = createLogger(config), metrics = new Metrics() } = parts
  const { readiness = new Readiness(store, config.readOnly), traces = createTraces() } = parts
  const { uploads = new UnfinishedUploads(store, config.maxUnfinishedUploads, logger) } = parts
  const { hooks = {}, metricsText = () => metrics.registry.metrics() } = parts
  const slots = meteredSlots(parts.slots ?? countSlots(config.maxConcurrentUploads), metrics)
  const access = createAccess(config)
  const app = new Koa({ proxy: config.trustProxy, maxIpsCount: 1 })
  app.on('error', logErrors(logger))
  app.use(observeRequests(config.trustProxy, { logger, metrics, traceRequest: requestTracer(traces) }))
  if (config.corsOrigin.length > 0) app.use(allowOrigins(config))
  app.use(guard(config, access))
  app.use(dispatch(hotRoutes(config, store)))
  const others = { hooks, slots, access, metrics, metricsText, readiness, traces, uploads }
  app.use(dispatch(routes(config, store, others)))
  return app
}
