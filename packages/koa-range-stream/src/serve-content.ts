import { Readable } from 'node:stream'
import type Koa from 'koa'
import type { PlanOptions, ResponsePlan } from 'range-core'
import { type Body, openBody } from './body.ts'
import { tieToClient } from './client-abort.ts'
import type { Content } from './content.ts'
import { FileStream } from './file/file-stream.ts'
import { decideNotModified } from './not-modified.ts'
import { type PlannedResponse, planContent } from './planned-response.ts'
import { sendAfterMiddleware } from './send-after-middleware.ts'

export interface ServeContentOptions extends Omit<PlanOptions, 'now'> {
  /** The value of Cache-Control on 200, 206 and 304 (as set by the app before). */
  readonly cacheControl?: string | undefined
  /** Sets Content-Disposition with the content's `name` (as set by the app before). */
  readonly disposition?: 'inline' | 'attachment' | undefined
  /** Called last for 200, 206 and 304, to set further header fields; `kind` is `'not-modified'` for a 304. */
  readonly setHeaders?: ((ctx: Koa.Context, content: Content, kind: ResponsePlan['kind']) => void) | undefined
}

/**
 * Answers with `content`: 200, 206, 304, 412 or 416, ranges and preconditions by RFC 9110.
 *
 * For a 304 the status stays 200 until koa-conditional-get upstream, or this package when Koa responds, changes it. This
 * sets `ctx.request.fresh`, which koa-conditional-get reads. No content is opened for 304, 412, 416 and HEAD.
 *
 * @throws what `content.stream` throws, and the error of a stream of up to 64 KiB; the response is then unchanged
 * @see RFC 9110 §13, §14
 * @example
 * router.get('/clip.mp4', async (ctx) => {
 *   const content = await fileContent('/srv/videos/clip.mp4')
 *   if (content !== null) await serveContent(ctx, content)
 * })
 */
export async function serveContent(
  context: Koa.ExtendableContext,
  content: Content,
  options: ServeContentOptions = {},
): Promise<void> {
  // Contexts of apps and routers with types of their own lack only the index signature of `Koa.Context`.
  const ctx = context as Koa.Context
  const planned = planContent(ctx, content, options)
  const body = await openBody(ctx, content, planned.plan)
  setForOthers(ctx, planned)
  const { plan } = planned
  if (plan.kind === 'precondition-failed' || plan.kind === 'unsatisfiable') {
    refuse(ctx, plan, content.size)
    return
  }
  setBody(ctx, planned, body)
  setFields(ctx, planned, content.size)
  options.setHeaders?.(ctx, content, plan.kind)
  if (planned.isConditional) decideNotModified(ctx, planned.request, plan)
}

/** Sets the properties that koa-conditional-get and koa-compress upstream read. */
function setForOthers(ctx: Koa.Context, { fresh }: PlannedResponse): void {
  // Koa's own value ANDs If-None-Match with If-Modified-Since, is false for a reload's no-cache, and copies all fields.
  if (fresh !== undefined) Object.defineProperty(ctx.request, 'fresh', { configurable: true, value: fresh })
  // A compressed range, or an identity range under the entity-tag of compressed content, corrupts the file that a client
  // joins from ranges.
  ctx['compress'] = false
}

/** Sets status, type and body. Koa derives other fields from the body, which `setFields` then replaces. */
function setBody(ctx: Koa.Context, { plan, type }: PlannedResponse, body: Body): void {
  if (body === null) {
    // For a null body, Koa sends the text `null` if the type is JSON.
    ctx.remove('Content-Type')
    if (ctx.body != null) ctx.body = null
  }
  setField(ctx, 'Content-Type', type)
  if (body !== null) ctx.body = body
  // After the body, because Koa makes the status 204 for a null body.
  ctx.status = plan.kind === 'not-modified' ? 200 : plan.status
  // The body of a 304 is hardly ever read, so it is tied to the client only when it is read.
  if (!(body instanceof Readable) || plan.kind === 'not-modified') return
  tieToClient(ctx, body)
  if (body instanceof FileStream) sendAfterMiddleware(ctx, body)
}

function setFields(ctx: Koa.Context, planned: PlannedResponse, size: number): void {
  const { plan, acceptRanges, cacheControl, contentDisposition } = planned
  if (plan.kind === 'not-modified') setField(ctx, 'Content-Length', `${size}`)
  for (const name in plan.headers) setField(ctx, name, plan.headers[name])
  setField(ctx, 'Accept-Ranges', acceptRanges)
  setField(ctx, 'Cache-Control', cacheControl)
  setField(ctx, 'Content-Disposition', contentDisposition)
}

/** Sets a field. `ctx.set` takes three times as long, because it checks every name and value that Node checks again. */
function setField({ res }: Koa.Context, name: string, value: string | undefined): void {
  if (value !== undefined && !res.headersSent) res.setHeader(name, value)
}

const REFUSALS = {
  412: 'The precondition of the request does not hold',
  416: 'None of the requested ranges lies within the content',
}

const CONTENT_FIELDS = [
  'Cache-Control',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Language',
  'ETag',
  'Expires',
  'Last-Modified',
]

/** Sends 412 or 416. Not by ctx.throw, which drops every header field except its own (here Content-Range). */
function refuse(
  ctx: Koa.Context,
  { status, headers }: ResponsePlan & { status: 412 | 416 },
  size: number,
): void {
  // These fields describe a 200, and explicit freshness would even make caches store the error.
  for (const name of CONTENT_FIELDS) ctx.remove(name)
  ctx.set({ ...headers, 'Content-Type': 'application/problem+json' })
  ctx.status = status
  const detail = status === 416 ? { detail: `The content has ${size} bytes.` } : {}
  ctx.body = JSON.stringify({ title: REFUSALS[status], status, ...detail })
}
