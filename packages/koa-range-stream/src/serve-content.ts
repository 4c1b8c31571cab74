import { extname } from 'node:path'
import { Readable } from 'node:stream'
import type Koa from 'koa'
import { type PlanOptions, planResponse, type RequestFields, type ResponsePlan } from 'range-core'
import { lazyBody, openBody } from './body.ts'
import { endWithClient, isClientGone, tieToClient } from './client-abort.ts'
import type { Content } from './content.ts'
import type { Awaitable } from './file/file-system.ts'
import { LruMap } from './file/lru-map.ts'
import { decideNotModified } from './not-modified.ts'
import { contentValidators, refusesRanges, responseField } from './response-fields.ts'
import { releaseWhenSent, type SmallBody } from './small-body.ts'

const MAX_NAMES = 1000
/** Longer names are not cached: they are rare, and clients could fill the memory with them. */
const MAX_NAME_LENGTH = 1000

export interface ServeContentOptions extends Omit<PlanOptions, 'now'> {
  /** The value of Cache-Control on 200, 206 and 304 (as set by the app before). */
  readonly cacheControl?: string | undefined
  /** Sets Content-Disposition with the content's `name` (as set by the app before). */
  readonly disposition?: 'inline' | 'attachment' | undefined
  /** Called last for 200, 206 and 304, to set further header fields. `kind` is the plan's: `not-modified` for a 304. */
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
  ctx: Koa.Context,
  content: Content,
  options: ServeContentOptions = {},
): Promise<void> {
  const type = mediaType(ctx, content)
  const { size } = content
  const { etag, lastModified } = contentValidators(ctx, content)
  const headers = requestFields(ctx)
  const acceptRanges = responseField(ctx, 'Accept-Ranges')
  // The plan's ranges refer to the identity encoding.
  const whole = ctx.res.hasHeader('Content-Encoding') || refusesRanges(acceptRanges)
  const planOptions = whole ? { ...options, maxRanges: 0 } : options
  const plan = planResponse({ method: ctx.method, headers }, { size, etag, lastModified, type }, planOptions)
  const body = await createBody(ctx, content, plan)
  // koa-conditional-get reads ctx.fresh. Koa's own value ANDs If-None-Match with If-Modified-Since and is false for a
  // reload's no-cache. It is replaced by the result of RFC 9110, unless there are no validators, which @koa/etag
  // upstream may still add.
  if ((etag !== undefined || lastModified !== undefined) && isConditional(headers)) {
    Object.defineProperty(ctx.request, 'fresh', { configurable: true, value: plan.kind === 'not-modified' })
  }
  // koa-compress is disabled: a compressed range, or an identity range under the entity-tag of compressed content,
  // corrupts the file that a client joins from ranges.
  ctx['compress'] = false
  if (plan.kind === 'precondition-failed' || plan.kind === 'unsatisfiable') {
    refuse(ctx, plan, size)
    return
  }
  if (options.disposition !== undefined) setDisposition(ctx, options.disposition, content.name)
  sendContent(ctx, plan, body, type)
  if (plan.kind === 'not-modified') setField(ctx, 'Content-Length', `${size}`)
  for (const name in plan.headers) setField(ctx, name, plan.headers[name])
  if (acceptRanges !== undefined) setField(ctx, 'Accept-Ranges', acceptRanges)
  if (options.cacheControl !== undefined) setField(ctx, 'Cache-Control', options.cacheControl)
  options.setHeaders?.(ctx, content, plan.kind)
  if (isConditional(headers)) decideNotModified(ctx, headers, plan)
}

/** The latest values of Content-Disposition, because formatting one takes longer than planning the response. */
const dispositions = {
  inline: new LruMap<string, string>(MAX_NAMES),
  attachment: new LruMap<string, string>(MAX_NAMES),
}

function setDisposition(ctx: Koa.Context, type: 'inline' | 'attachment', name: string | undefined): void {
  const known = name === undefined ? undefined : dispositions[type].get(name)
  if (known !== undefined) {
    setField(ctx, 'Content-Disposition', known)
    return
  }
  // Koa also sets a media type from the name here; `setBody` replaces it later.
  ctx.attachment(name, contentDisposition(type, name ?? ''))
  const value = responseField(ctx, 'Content-Disposition')
  if (name !== undefined && value !== undefined && name.length <= MAX_NAME_LENGTH)
    dispositions[type].set(name, value)
}

/**
 * Returns options that send a non-ASCII name in `filename*` (RFC 6266 §4.3), because content-disposition would send
 * Latin-1 as raw bytes.
 */
function contentDisposition(
  type: 'inline' | 'attachment',
  name: string,
): Parameters<Koa.Context['attachment']>[1] {
  const fallback = name.replace(/[^\x20-\x7e]/g, '?')
  return fallback === name ? { type } : { type, fallback }
}

/**
 * Returns the request's fields. Node drops the second line of a date field, but two lines are a list and so not a valid
 * date (RFC 9110 §5.2, §13.1.3). So `headersDistinct` is used if there is a date field.
 */
function requestFields({ req, headers }: Koa.Context): RequestFields {
  const dated = 'if-modified-since' in headers || 'if-unmodified-since' in headers
  return dated ? (req.headersDistinct ?? headers) : headers
}

/** Whether the response may be a 304. Without these fields, Koa's own `fresh` is false, too. */
function isConditional(headers: RequestFields): boolean {
  return headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined
}

/** Returns the content's type, or the type that the app has set, or Koa's type for the extension of the file name. */
function mediaType(ctx: Koa.Context, content: Content): string {
  if (content.type !== undefined) return content.type
  if (ctx.res.hasHeader('Content-Type')) return ctx.response.get('Content-Type')
  const extension = extname(content.name ?? '')
  const known = typesByExtension.get(extension)
  if (known !== undefined) return known
  ctx.type = extension
  const type = ctx.response.get('Content-Type') || 'application/octet-stream'
  // Removed again, because the response stays unchanged until the content is open.
  ctx.remove('Content-Type')
  if (typesByExtension.size < MAX_TYPES) typesByExtension.set(extension, type)
  return type
}

/** A cache, because Koa looks the extension up in two tables and formats the type for each response. */
const typesByExtension = new Map<string, string>()
const MAX_TYPES = 1000

/** Sets a field. `ctx.set` takes three times as long, because it checks every name and value that Node checks again. */
function setField({ res }: Koa.Context, name: string, value: string | undefined): void {
  if (value !== undefined && !res.headersSent) res.setHeader(name, value)
}

type Body = Readable | Buffer | SmallBody | null

function createBody(
  ctx: Koa.Context,
  content: Content & { readonly bytes?: Buffer },
  plan: ResponsePlan,
): Awaitable<Body> {
  if (ctx.method === 'HEAD' || plan.status === 412 || plan.status === 416) return null
  // Unchanged, for @koa/etag and other middleware upstream that inspects bodies.
  if (content.bytes !== undefined && plan.status !== 206) return content.bytes
  if (plan.status !== 304 && !isClientGone(ctx))
    return openBody(content, plan, (stream) => endWithClient(ctx, stream))
  const body = lazyBody(content, () => tieToClient(ctx, body))
  return body
}

function sendContent(ctx: Koa.Context, plan: ResponsePlan, body: Body, type: string): void {
  const status = plan.kind === 'not-modified' ? 200 : plan.status
  setBody(ctx, body, type)
  ctx.status = status
  if (body !== null && 'bytes' in body) releaseWhenSent(ctx, body)
  // The body of a 304 is hardly ever read, so `lazyBody` ties it to the client only when it is read.
  else if (body instanceof Readable && plan.kind !== 'not-modified') tieToClient(ctx, body)
}

function setBody(ctx: Koa.Context, body: Body, type: string): void {
  if (body === null) {
    // For a null body, Koa sends 204, or the text `null` if the type is JSON. So status and fields are set after the
    // body.
    ctx.remove('Content-Type')
    if (ctx.body != null) ctx.body = null
  }
  // Before the body, because Koa would otherwise look a type up.
  setField(ctx, 'Content-Type', type)
  if (body instanceof Readable || Buffer.isBuffer(body)) ctx.body = body
  else if (body !== null) ctx.body = body.bytes
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
