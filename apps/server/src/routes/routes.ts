import Router from '@koa/router'
import createError from 'http-errors'
import type Koa from 'koa'
import type { UploadHooks } from 'koa-resumable-upload'
import type { UploadStore } from 'upload-store'
import type { Access } from '../access/access.ts'
import type { Config } from '../config/config.ts'
import { routerPath } from '../http/dispatch.ts'
import { pathParameter } from '../http/route-table.ts'
import type { Metrics } from '../observe/metrics.ts'
import { listRequests } from '../observe/trace-requests.ts'
import type { RequestTraces } from '../observe/traces.ts'
import { countedStore } from '../uploads/counted-store.ts'
import { limitUploads, type Slots } from '../uploads/slots.ts'
import type { UploadCount } from '../uploads/unfinished-uploads.ts'
import { deleteVideo } from './delete-video.ts'
import { sendVideo } from './get-video.ts'
import { sendHome } from './home.ts'
import { videoList } from './list-videos.ts'
import { pageFiles } from './page-files.ts'
import { formReceiver, postVideo } from './post-video.ts'
import { putVideo } from './put-video.ts'
import type { Readiness } from './readiness.ts'
import { resumable } from './resumable.ts'
import { signInRoutes } from './sign-in.ts'
import { assets } from './static-files.ts'
import { redirectUpload, tus } from './tus.ts'

export interface RouteParts {
  readonly hooks: UploadHooks
  readonly slots: Slots
  /** `null`: every client may do everything. */
  readonly access: Access | null
  readonly metrics: Metrics
  readonly metricsText: () => Promise<string>
  readonly readiness: Readiness
  readonly traces: RequestTraces
  /** Counts unfinished uploads. */
  readonly uploads: UploadCount
}

/** Returns the routes that read a video, and those of static files: nearly all requests are for them. */
export function hotRoutes(config: Config, store: UploadStore): Router {
  const router = new Router()
  const send = sendVideo(store, config)
  router.get(routerPath('/videos/:key'), send)
  router.get(routerPath('/get_video_by_name/:video_name'), send)
  router.get(routerPath('/assets/*'), assets(config))
  router.get(routerPath('/page/*'), pageFiles())
  return router
}

/** Returns every other route. */
export function routes(config: Config, store: UploadStore, parts: RouteParts): Router {
  const { access, metrics, metricsText, readiness, traces } = parts
  const router = new Router()
  if (access !== null) signInRoutes(router, access)
  if (!config.readOnly) uploadRoutes(router, config, store, parts)
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
  router.get('/videos', videoList(store))
  return router
}

/** Adds the routes that change what is stored. `resume` passes requests that have nothing to do with resumable uploads. */
function uploadRoutes(router: Router, config: Config, store: UploadStore, parts: RouteParts): void {
  const { hooks, slots, metrics, uploads } = parts
  const counted = countedStore(store, uploads)
  const resume = resumable(config, counted, { slots, metrics, hooks })
  const resumeByTus = tus(config, counted, { slots, metrics, hooks })
  const receiveForm = formReceiver(store, config.maxFileSize, hooks)
  const limited = limitUploads(slots, metrics)

  router.post('/video', resume, limited, async (ctx) => {
    await postVideo(ctx, store, receiveForm, hooks)
    metrics.committed()
  })
  router.put('/videos/:key', resume, limited, async (ctx) => {
    await putVideo(ctx, store, config, hooks)
    metrics.committed()
  })
  router.delete('/videos/:key', (ctx) => deleteVideo(ctx, store))
  router.post('/uploads', resume, (ctx) => refuseWithoutUpload(ctx))
  for (const pattern of ['*', '/video', '/videos/:key', '/uploads'] as const)
    router.options(routerPath(pattern), resume)
  router.all('/uploads/:id', resume)
  router.all('/files', resumeByTus)
  const redirect = (ctx: Koa.Context) => redirectUpload(ctx, store, pathParameter(ctx.path))
  router.all('/files/:id', (ctx) => resumeByTus(ctx, () => redirect(ctx)))
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
