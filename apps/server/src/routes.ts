import { createHash } from 'node:crypto'
import Router from '@koa/router'
import createError from 'http-errors'
import type Koa from 'koa'
import type { UploadStore } from 'upload-store'
import type { Access } from './access/access.ts'
import type { Config } from './config/config.ts'
import { playPath } from './html/page-video.ts'
import { queryValue } from './http/query.ts'
import { seeOther } from './http/redirect.ts'
import { pathParameter } from './http/route-table.ts'
import { type VideoJson, videoJson, videoPath } from './media/video-json.ts'
import type { Metrics } from './observe/metrics.ts'
import type { Readiness } from './observe/readiness.ts'
import { listRequests } from './observe/trace-requests.ts'
import type { RequestViews } from './observe/traces.ts'
import { sendVideo } from './routes/get-video.ts'
import { greet } from './routes/home.ts'
import { formReceiver } from './routes/post-video.ts'
import { receivePut } from './routes/put-video.ts'
import { signInRoutes } from './routes/sign-in.ts'
import { uploadSlots } from './upload-slots.ts'
import { findObject } from './uploads/current-object.ts'
import { publishAsNew } from './uploads/publish.ts'
import type { Slots } from './uploads/slots.ts'
import { writeConditions } from './uploads/write-conditions.ts'

const MAX_LIMIT = 1000

export interface RouteParts {
  readonly slots: Slots
  /** `null`: everybody may do everything. */
  readonly access: Access | null
  readonly metrics: Metrics
  readonly metricsText: () => Promise<string>
  readonly readiness: Readiness
  readonly views: RequestViews
}

/** Every route but the static files. */
export function routes(config: Config, store: UploadStore, parts: RouteParts): Router {
  const { slots, access, metrics, metricsText, readiness, views } = parts
  // As the table of routes matches, or checkRoute would let requests pass that no handler answers.
  const router = new Router({ sensitive: true, strict: true })
  if (access !== null) signInRoutes(router, access)
  const receiveForm = formReceiver(store, config.maxFileSize)
  const limited = uploadSlots(slots, metrics)

  router.get('/', (ctx) => greet(ctx, config, store, access))
  router.get('/healthz', (ctx) => {
    ctx.body = { status: 'ok' }
  })
  router.get('/readyz', (ctx) => readiness.answer(ctx))
  router.get('/metrics', async (ctx) => {
    ctx.set({ 'Cache-Control': 'no-store', 'Content-Type': metrics.registry.contentType })
    ctx.body = await metricsText()
  })
  router.get('/requests', (ctx) => listRequests(ctx, views))
  router.post('/video', limited, async (ctx) => {
    const { session } = await receiveForm(ctx)
    const object = await publishAsNew(store, session)
    metrics.committed()
    // A form that was sent without script wants to see the video, not JSON.
    if (ctx.accepts('json', 'html') === 'html') seeOther(ctx, playPath(object.key))
    else answerStored(ctx, 201, videoJson(ctx, object))
  })
  router.get('/get_video_by_name/:video_name', (ctx) =>
    sendVideo(ctx, store, pathParameter(ctx.path), config),
  )
  router.get('/videos', (ctx) => listVideos(ctx, store))
  router.get('/videos/:key', (ctx) => sendVideo(ctx, store, pathParameter(ctx.path), config))
  router.put('/videos/:key', limited, async (ctx) => {
    await putVideo(ctx, store, config)
    metrics.committed()
  })
  router.delete('/videos/:key', (ctx) => deleteVideo(ctx, store))
  // A request that begins an upload does not get here.
  router.post('/uploads', (ctx) => refuseWithoutUpload(ctx))
  return router
}

async function listVideos(ctx: Koa.Context, store: UploadStore): Promise<void> {
  const { items, cursor } = await store.list({
    prefix: queryValue(ctx, 'prefix'),
    cursor: queryValue(ctx, 'cursor'),
    limit: limitOf(queryValue(ctx, 'limit') ?? '50'),
  })
  const rows = items.map((object) => ({
    ...videoJson(ctx, object),
    created: new Date(object.lastModified).toISOString(),
  }))
  const text = JSON.stringify({ items: rows, cursor })
  // The page asks again and again, and is told only that nothing has changed.
  ctx.set('ETag', `"${createHash('sha256').update(text).digest('base64url')}"`)
  ctx.set('Cache-Control', 'no-cache')
  ctx.type = 'json'
  ctx.body = text
}

async function putVideo(ctx: Koa.Context, store: UploadStore, { maxFileSize }: Config): Promise<void> {
  const { object, created } = await receivePut(ctx, store, pathParameter(ctx.path), maxFileSize)
  ctx.set('ETag', object.etag)
  answerStored(ctx, created ? 201 : 200, videoJson(ctx, object))
}

async function deleteVideo(ctx: Koa.Context, store: UploadStore): Promise<void> {
  const key = pathParameter(ctx.path)
  const found = await findObject(store, key)
  // Without its conditions the request would be 404, so they do not count (RFC 9110 §13.2.1).
  if (found === null) throw missing(key)
  const { ifMatch } = writeConditions(ctx, found === 'damaged' ? null : found)
  if (!(await store.delete(key, { ifMatch }))) throw missing(key)
  ctx.status = 204
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

function missing(key: string): Error {
  return createError(404, `There is no video ${JSON.stringify(key)}.`)
}

function answerStored(ctx: Koa.Context, status: 200 | 201, video: VideoJson): void {
  ctx.status = status
  ctx.set('Location', videoPath(video.key))
  ctx.body = video
}

function limitOf(text: string): number {
  const limit = Number(text)
  if (!/^\d+$/.test(text) || limit < 1)
    throw createError(400, `limit=${text} is not a number from 1 to ${MAX_LIMIT}.`)
  return Math.min(limit, MAX_LIMIT)
}
