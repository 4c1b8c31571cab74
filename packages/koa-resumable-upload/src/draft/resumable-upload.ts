import type Koa from 'koa'
import type { UploadStore } from 'upload-store'
import { cancel } from '../core/cancel.ts'
import { answeringErrors } from '../core/find-upload.ts'
import { type ResumableUploadOptions, type Settings, withDefaults } from '../core/options.ts'
import { unknownUpload } from '../errors.ts'
import { contentLengthOf } from '../http/content-length.ts'
import { isUploadId } from '../http/upload-id.ts'
import { announceLimits, type DraftExchange, draftExchange, setUploadFields } from './answer.ts'
import { handleAppend } from './handle-append.ts'
import { handleCreate } from './handle-create.ts'
import { retrieve } from './retrieve.ts'
import { declared, readUploadRequest } from './upload-request.ts'

/** Content of theirs means nothing (RFC 9110 §9.3). */
const WITHOUT_CONTENT = new Set(['GET', 'HEAD', 'DELETE', 'TRACE', 'CONNECT'])

/**
 * Methods that are always for an upload. A client takes any success of them for the upload's, also that of a catch-all route.
 */
const PROTOCOL_ONLY = new Set(['HEAD', 'PATCH', 'DELETE'])

const VERBS: Readonly<Record<string, (exchange: DraftExchange, id: string) => Promise<void>>> = {
  HEAD: retrieve,
  GET: retrieve,
  PATCH: handleAppend,
  DELETE: handleCancel,
}

/**
 * Returns middleware that receives uploads which clients may interrupt and resume, as Resumable Uploads for HTTP defines
 * them. A request with Upload-Complete whose path `resolveTarget` names creates an upload; the client resumes it at `${path}/<id>`.
 * Other requests go to the next middleware, except for parts of uploads that `resolveTarget` does not name.
 *
 * @see draft-ietf-httpbis-resumable-upload
 * @example
 * const resolveTarget = (ctx) => (ctx.path === '/files' ? { key: 'film.mp4' } : null)
 * app.use(resumableUpload(createFsStore('data'), { resolveTarget }))
 */
export function resumableUpload(store: UploadStore, options: ResumableUploadOptions): Koa.Middleware {
  const settings = withDefaults(store, options, '/uploads')
  return async function resumableUpload(ctx, next) {
    const id = parseUploadPath(settings, ctx.path)
    // First: nearly every request of an app is one of these.
    if (id === null && WITHOUT_CONTENT.has(ctx.method)) return next()
    const request = readUploadRequest(ctx.headers, contentLengthOf(ctx))
    const exchange = draftExchange(ctx, settings, request)
    if (id !== null && (await isForUpload(exchange, id))) await handleUpload(exchange, id)
    else if (ctx.method === 'OPTIONS') await handleOptions(exchange, next)
    else if (WITHOUT_CONTENT.has(ctx.method) || !(await handleCreate(exchange))) await next()
    if (id !== null && isUnanswered(ctx)) exchange.answerRefusal(unknownUpload())
  }
}

/** Returns the id of an upload that a path may name, or `null`. */
function parseUploadPath({ path }: Settings, requested: string | null): string | null {
  // Koa has no path for a request target like `http://`.
  const id = requested?.startsWith(`${path}/`) === true ? requested.slice(path.length + 1) : ''
  return isUploadId(id) ? id : null
}

/** The app may have files of its own below `path`, even with names that look like ids. */
async function isForUpload({ ctx, settings }: DraftExchange, id: string): Promise<boolean> {
  if (PROTOCOL_ONLY.has(ctx.method)) return true
  // If the store fails, the handler of the method answers that.
  const found = await settings.store.getUpload(id).catch(() => undefined)
  return found !== null
}

/** No middleware has a response for a path that may be one of an upload. */
function isUnanswered(ctx: Koa.Context): boolean {
  return ctx.method === 'GET' && ctx.status === 404 && ctx.body == null && ctx.respond !== false
}

/** Answers DELETE of an upload (§4.5). */
async function handleCancel(exchange: DraftExchange, id: string): Promise<void> {
  if (!(await cancel(exchange, id))) return
  const { ctx } = exchange
  setUploadFields(exchange, false)
  ctx.body = null
  ctx.status = 204
}

async function handleUpload(exchange: DraftExchange, id: string): Promise<void> {
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
  announceLimits(exchange, { acceptsPatch: true })
  ctx.status = 204
}

async function handleOptions(exchange: DraftExchange, next: Koa.Next): Promise<void> {
  const { ctx, request } = exchange
  const ours = request.complete === null && (await isTarget(exchange))
  await next()
  if (!ours) return
  announceLimits(exchange, { acceptsPatch: request.interop.targetsAcceptPatch })
  if (ctx.status === 404) ctx.status = 204
}

async function isTarget({ ctx, settings, request }: DraftExchange): Promise<boolean> {
  // Every upload here has the same limits, so they hold for the server as a whole, too (§4.1.4).
  return ctx.path === '*' || (await settings.resolveTarget(ctx, declared(request))) !== null
}
