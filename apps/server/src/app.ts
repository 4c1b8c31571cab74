import Koa from 'koa'
import { tusMethodOverride } from 'koa-resumable-upload'
import type { Logger } from 'pino'
import type { UploadStore } from 'upload-store'
import { createAccess } from './access/access.ts'
import type { Config } from './config/config.ts'
import { closeAfterUnreadBodies } from './http/unread-body.ts'
import { checkRequest } from './middleware/check-request.ts'
import { checkRoute } from './middleware/check-route.ts'
import { allowOrigins } from './middleware/cors.ts'
import { notModified } from './middleware/not-modified.ts'
import { problems } from './middleware/problems.ts'
import { createLogger, logErrors, logRequests } from './observe/log.ts'
import { Metrics } from './observe/metrics.ts'
import { requestIds } from './observe/request-id.ts'
import { traceRequests } from './observe/trace-requests.ts'
import { createTraces, type RequestTraces } from './observe/traces.ts'
import { Readiness } from './routes/readiness.ts'
import { resumable } from './routes/resumable.ts'
import { routes, videoRoutes } from './routes/routes.ts'
import { builtPage, staticFiles } from './routes/static-files.ts'
import { tus } from './routes/tus.ts'
import { countedStore } from './uploads/counted-store.ts'
import { countSlots, meteredSlots, type Slots } from './uploads/slots.ts'
import { UnfinishedUploads, type UploadCount } from './uploads/unfinished-uploads.ts'

/** The objects that the app shares with the server process; defaults are for an app on its own. */
export interface AppParts {
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
 * Returns the server's app. Its layers run in this order: access, 304, videos, static files, uploads, other routes.
 *
 * @throws ConfigError if the page has not been built
 *
 * @example
 * const config = loadConfig(['--data', 'videos'], process.env)
 * // Unlike createFsStore, openStore enforces `--accept`.
 * createApp(config, await openStore(config)).listen(config.port, config.host)
 */
export function createApp(config: Config, store: UploadStore, parts: AppParts = {}): Koa {
  const { logger = createLogger(config), metrics = new Metrics() } = parts
  const { readiness = new Readiness(store, config.readOnly), traces = createTraces() } = parts
  const slots = meteredSlots(parts.slots ?? countSlots(config.maxConcurrentUploads), metrics)
  const { metricsText = () => metrics.registry.metrics() } = parts
  const app = new Koa({ proxy: config.trustProxy, maxIpsCount: 1 })
  app.on('error', logErrors(logger))
  // First, so that every guard, the log and the metrics see the effective method.
  app.use(tusMethodOverride('/files'))
  app.use(requestIds(config.trustProxy))
  app.use(logRequests(logger, metrics))
  app.use(closeAfterUnreadBodies())
  if (config.corsOrigin.length > 0) app.use(allowOrigins(config))
  app.use(traceRequests(traces))
  app.use(problems())
  app.use(checkRequest(config))
  const access = createAccess(config)
  if (access !== null) app.use(access.check())
  app.use(checkRoute(config))
  app.use(notModified())
  // Before the layers of uploads and the other routes, because nearly all requests are for a video or a file.
  app.use(videoRoutes(config, store).routes())
  app.use(staticFiles('/assets', config.assets, { cacheControl: config.cacheControl, precompressed: false }))
  app.use(staticFiles('/page', builtPage(), { cacheControl: 'no-cache', precompressed: true }))
  if (!config.readOnly) {
    const { uploads = new UnfinishedUploads(store, config.maxUnfinishedUploads, logger) } = parts
    const counted = countedStore(store, uploads)
    app.use(resumable(config, counted, slots, metrics))
    app.use(tus(config, counted, slots, metrics))
  }
  const router = routes(config, store, { slots, access, metrics, metricsText, readiness, traces })
  app.use(router.routes())
  return app
}
