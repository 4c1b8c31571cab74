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
/** Longer names are rare, and would let clients fill the memory. */
const MAX_NAME_LENGTH = 1000

export interface ServeContentOptions extends Omit<PlanOptions, 'now'> {
  /** The value of Cache-Control on 200, 206 and 304 (what the app set before). */
  readonly cacheControl?: string | undefined
  /** Sets Content-Disposition with the content's `name` (what the app set before). */
  readonly disposition?: 'inline' | 'attachment' | undefined
  /** Called last for 200, 206 and 304, to set further fields. */
  readonly setHeaders?: ((ctx: Koa.Context, content: Content) => void) | undefined
}

/**
 * Answers with `content`: 200, 206, 304, 412 or 416, ranges and preconditions by RFC 9110.
 *
 * The status stays 200 until koa-conditional-get upstream, or else Koa's own end of the request, makes a 304 of it: this
 * sets `ctx.request.fresh`, which koa-conditional-get asks. Nothing is opened for 304, 412, 416 and HEAD.
 *
 * @throws what `content.stream` throws, and what a stream of up to 64 KiB fails with; the response is then untouched
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
  // Ranges are of the identity encoding.
  const whole = ctx.res.hasHeader('Content-Encoding') || refusesRanges(acceptRanges)
  const planOptions = whole ? { ...options, maxRanges: 0 } : options
  const plan = planResponse({ method: ctx.method, headers }, { size, etag, lastModified, type }, planOptions)
  const body = await createBody(ctx, content, plan)
  // koa-conditional-get asks ctx.fresh. Koa's own answer ANDs If-None-Match with If-Modified-Since and gives up on a
  // reload's no-cache, so ours, by RFC 9110, takes its place.
  // Without validators there is nothing to say, and @koa/etag upstream may yet find some.
  if ((etag !== undefined || lastModified !== undefined) && isConditional(headers)) {
    Object.defineProperty(ctx.request, 'fresh', { configurable: true, value: plan.kind === 'not-modified' })
  }
  // A compressed range, or an identity range under the entity-tag of compressed content, corrupts what the client joins.
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
  options.setHeaders?.(ctx, content)
  if (isConditional(headers)) decideNotModified(ctx, headers, plan)
}

/** The latest values of Content-Disposition: to write one takes longer than to plan the response. */
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
  // Koa guesses a media type from the name here.
  ctx.attachment(name, contentDisposition(type, name ?? ''))
  const value = responseField(ctx, 'Content-Disposition')
  if (name !== undefined && value !== undefined && name.length <= MAX_NAME_LENGTH)
    dispositions[type].set(name, value)
}

/** A name in other than ASCII goes into `filename*` (RFC 6266 §4.3); content-disposition would send Latin-1 as raw bytes. */
function contentDisposition(
  type: 'inline' | 'attachment',
  name: string,
): Parameters<Koa.Context['attachment']>[1] {
  const fallback = name.replace(/[^\x20-\x7e]/g, '?')
  return fallback === name ? { type } : { type, fallback }
}

/** Node drops the second line of a date field, where two lines are a list, which no date is (RFC 9110 §5.2, §13.1.3). */
function requestFields({ req, headers }: Koa.Context): RequestFields {
  const dated = 'if-modified-since' in headers || 'if-unmodified-since' in headers
  return dated ? (req.headersDistinct ?? headers) : headers
}

/** Whether the answer may be a 304; without these fields Koa, too, says that it is none. */
function isConditional(headers: RequestFields): boolean {
  return headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined
}

/** What the content says, else what the app has set, else what the file name's extension means to Koa. */
function mediaType(ctx: Koa.Context, content: Content): string {
  if (content.type !== undefined) return content.type
  if (ctx.res.hasHeader('Content-Type')) return ctx.response.get('Content-Type')
  const extension = extname(content.name ?? '')
  const known = typesByExtension.get(extension)
  if (known !== undefined) return known
  ctx.type = extension
  const type = ctx.response.get('Content-Type') || 'application/octet-stream'
  // Only asked: the response stays untouched until the content is open.
  ctx.remove('Content-Type')
  if (typesByExtension.size < MAX_TYPES) typesByExtension.set(extension, type)
  return type
}

/** Koa looks it up in two tables and writes it out for each response. */
const typesByExtension = new Map<string, string>()
const MAX_TYPES = 1000

/** `ctx.set` takes three times as long: it looks at every name and value for what Node looks at again. */
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
  // As the app left it, for @koa/etag and others upstream that look at bodies.
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
  // The body of a 304 is hardly ever read.
  else if (body instanceof Readable && plan.kind !== 'not-modified') tieToClient(ctx, body)
}

function setBody(ctx: Koa.Context, body: Body, type: string): void {
  if (body === null) {
    // Koa answers it with 204, or with the text null where the type says JSON: status and fields follow the body.
    ctx.remove('Content-Type')
    if (ctx.body != null) ctx.body = null
  }
  // Before any other body: Koa would look one up.
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

/** Not by ctx.throw, which drops every header field but its own (Content-Range here). */
function refuse(
  ctx: Koa.Context,
  { status, headers }: ResponsePlan & { status: 412 | 416 },
  size: number,
): void {
  // Set for the 200 that this is not; explicit freshness would even make caches keep the refusal.
  for (const name of CONTENT_FIELDS) ctx.remove(name)
  ctx.set({ ...headers, 'Content-Type': 'application/problem+json' })
  ctx.status = status
  const detail = status === 416 ? { detail: `The content has ${size} bytes.` } : {}
  ctx.body = JSON.stringify({ title: REFUSALS[status], status, ...detail })
}
