import type Koa from 'koa'
import type { UploadStore } from 'upload-store'
import { announceLimits } from './announce.ts'
import { type Exchange, setUploadFields } from './answer.ts'
import { append } from './append.ts'
import { cancel } from './cancel.ts'
import { http2StreamOf } from './connection.ts'
import { create } from './create.ts'
import { answeringErrors } from './inspect.ts'
import { type ResumableUploadOptions, type Settings, withDefaults } from './options.ts'
import { retrieve } from './retrieve.ts'
import { readUploadRequest } from './upload-request.ts'

/** Content of theirs means nothing (RFC 9110 §9.3). */
const WITHOUT_CONTENT = new Set(['GET', 'HEAD', 'DELETE', 'TRACE', 'CONNECT'])

const VERBS: Readonly<Record<string, (exchange: Exchange, id: string) => Promise<void>>> = {
  HEAD: retrieve,
  GET: retrieve,
  PATCH: append,
  DELETE: cancel,
}

/**
 * Takes uploads that clients may interrupt and go on with, as Resumable Uploads for HTTP tells: requests with
 * Upload-Complete to what `target` names begin one, and `${path}/<id>` is where it goes on.
 *
 * @see draft-ietf-httpbis-resumable-upload
 * @example
 * const target = (ctx) => (ctx.path === '/files' ? { key: 'film.mp4' } : null)
 * app.use(resumableUpload(createFsStore('data'), { target }))
 */
export function resumableUpload(store: UploadStore, options: ResumableUploadOptions): Koa.Middleware {
  const settings = withDefaults(store, options)
  return async function resumableUpload(ctx, next) {
    const id = idOf(settings, ctx.path)
    // First: nearly every request of an app is one of these.
    if (id === null && WITHOUT_CONTENT.has(ctx.method)) return next()
    const bodiless = http2StreamOf(ctx)?.endAfterHeaders ?? true
    const request = readUploadRequest(ctx.headers, bodiless)
    const exchange: Exchange = { ctx, settings, request }
    if (id !== null) await handleUpload(exchange, id)
    else if (ctx.method === 'OPTIONS') await handleOptions(exchange, next)
    else if (!(await create(exchange))) await next()
  }
}

/** What comes below `path`, or `null` for other paths. */
function idOf({ path }: Settings, requested: string): string | null {
  const id = requested.startsWith(`${path}/`) ? requested.slice(path.length + 1) : ''
  return id === '' || id.includes('/') ? null : id
}

async function handleUpload(exchange: Exchange, id: string): Promise<void> {
  const { ctx } = exchange
  const handle = Object.hasOwn(VERBS, ctx.method) ? VERBS[ctx.method] : undefined
  if (handle !== undefined) {
    await answeringErrors(exchange, () => handle(exchange, id))
    return
  }
  ctx.set('Allow', [...Object.keys(VERBS), 'OPTIONS'].join(', '))
  if (ctx.method !== 'OPTIONS') {
    setUploadFields(exchange, false)
    ctx.status = 405
    return
  }
  announceLimits(exchange)
  ctx.status = 204
}

async function handleOptions(exchange: Exchange, next: Koa.Next): Promise<void> {
  const { ctx, settings, request } = exchange
  const ours = request.complete === null && (ctx.path === settings.path || (await isTarget(exchange)))
  await next()
  if (!ours) return
  announceLimits(exchange)
  if (ctx.status === 404) ctx.status = 204
}

async function isTarget({ ctx, settings }: Exchange): Promise<boolean> {
  // Every upload here has the same limits, so they hold for the server as a whole, too (§4.1.4).
  return ctx.path === '*' || (await settings.target(ctx)) !== null
}
