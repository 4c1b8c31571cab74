import Router from '@koa/router'
import createError from 'http-errors'
import type Koa from 'koa'
import type { UploadStore } from 'upload-store'
import type { Access } from '../access/access.ts'
import type { Config } from '../config/config.ts'
import { pathParameter } from '../http/route-table.ts'
import type { Metrics } from '../observe/metrics.ts'
import { listRequests } from '../observe/trace-requests.ts'
import type { RequestTraces } from '../observe/traces.ts'
import { limitUploads, type Slots } from '../uploads/slots.ts'
import { deleteVideo } from './delete-video.ts'
import { sendVideo } from './get-video.ts'
import { sendHome } from './home.ts'
import { videoList } from './list-videos.ts'
import { formReceiver, postVideo } from './post-video.ts'
import { putVideo } from './put-video.ts'
import type { Readiness } from './readiness.ts'
import { signInRoutes } from './sign-in.ts'

export interface RouteParts {
  readonly slots: Slots
  /** `null`: every client may do everything. */
  readonly access: Access | null
  readonly metrics: Metrics
  readonly metricsText: () => Promise<string>
  readonly readiness: Readiness
  readonly traces: RequestTraces
}

/** As strict as the table of routes: otherwise checkRoute would pass requests that no handler answers. */
const STRICT = { sensitive: true, strict: true }

/** Returns the routes that read a video. @koa/router tries every route of a router for each request. */
export function videoRoutes(config: Config, store: UploadStore): Router {
  const router = new Router(STRICT)
  const send = (ctx: Koa.Context) => sendVideo(ctx, store, pathParameter(ctx.path), config)
  router.get('/videos/:key', send)
  router.get('/get_video_by_name/:video_name', send)
  return router
}

/** Returns every other route except the static files and the uploads that `resumable` and `tus` answer. */
export function routes(config: Config, store: UploadStore, parts: RouteParts): Router {
  const { slots, access, metrics, metricsText, readiness, traces } = parts
  const router = new Router(STRICT)
  if (access !== null) signInRoutes(router, access)
  const receiveForm = formReceiver(store, config.maxFileSize)
  const limited = limitUploads(slots, metrics)

  router.get('/', (ctx) => sendHome(ctx, config, store, access))
  router.get('/healthz', (ctx) => {
    ctx.body = { status: 'ok' }
  })
  router.get('/readyz', (ctx) => readiness.answer(ctx))
  router.get('/metrics', async (ctx) => {
    ctx.set({ 'Cache-Control': 'no-store', 'Content-Type': metrics.registry.contentType })
    ctx.body = await metricsText()
  })
  router.get('/requests', (ctx) => listRequests(ctx, traces))
  router.post('/video', limited, async (ctx) => {
    await postVideo(ctx, store, receiveForm)
    metrics.committed()
  })
  router.get('/videos', videoList(store))
  router.put('/videos/:key', limited, async (ctx) => {
    await putVideo(ctx, store, config)
    metrics.committed()
  })
  router.delete('/videos/:key', (ctx) => deleteVideo(ctx, store))
  // `resumable` answers requests that create an upload.
  router.post('/uploads', (ctx) => refuseWithoutUpload(ctx))
  return router
}

/** @throws 400, 415 */
function refuseWithoutUpload(ctx: Koa.Context): never {
  if (ctx.is('multipart/form-data') !== false && ctx.get('Content-Type') !== '')
    throw createError(
      415,
      'Send a form to POST /video. POST /uploads takes the bytes of the file as content.',
    )
  throw createError(
    400,
    'POST /uploads creates a resumable upload and needs Upload-Complete: ?1 if this request has all content, otherwise ?0.',
  )
}
