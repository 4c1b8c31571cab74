import { extname } from 'node:path'
import type Koa from 'koa'
import {
  type PlanOptions,
  parseHttpDate,
  planResponse,
  type Representation,
  type RequestFields,
  type ResponsePlan,
} from 'range-core'
import type { Content } from './content.ts'
import { warnOnce } from './errors.ts'
import { LruMap } from './file/lru-map.ts'

/** What decides on a response, besides the request, the content and the fields that the app has set. */
export interface PlanningOptions extends Omit<PlanOptions, 'now'> {
  readonly cacheControl?: string | undefined
  readonly disposition?: 'inline' | 'attachment' | undefined
}

/** A response as it will be. Nothing of it has been set yet. */
export interface PlannedResponse {
  readonly plan: ResponsePlan
  /** The value of `ctx.fresh`; `undefined` leaves Koa's own, for content without validators. */
  readonly fresh: boolean | undefined
  /** The fields of the request that the plan is based on. */
  readonly request: RequestFields
  /** Whether the response may become a 304. */
  readonly isConditional: boolean
  /** The media type. Koa would look a type up if it were missing when the body is set. */
  readonly type: string
  readonly contentDisposition: string | undefined
  readonly cacheControl: string | undefined
  /** Accept-Ranges as the app has set it. */
  readonly acceptRanges: string | undefined
}

/** Decides on the response to `ctx` with `content`. Reads `ctx`, and changes nothing. */
export function planContent(ctx: Koa.Context, content: Content, options: PlanningOptions): PlannedResponse {
  const request = requestFields(ctx)
  const type = mediaType(ctx, content)
  const { etag, lastModified } = contentValidators(ctx, content)
  const acceptRanges = responseField(ctx, 'Accept-Ranges')
  // The plan's ranges refer to the identity encoding.
  const isWhole = ctx.res.hasHeader('Content-Encoding') || refusesRanges(acceptRanges)
  const { cacheControl, disposition, maxPartialLength } = options
  const maxRanges = isWhole ? 0 : options.maxRanges
  const representation = { size: content.size, etag, lastModified, type }
  const plan = planResponse({ method: ctx.method, headers: request }, representation, {
    maxRanges,
    maxPartialLength,
  })
  const hasValidators = etag !== undefined || lastModified !== undefined
  return {
    plan,
    fresh: hasValidators ? plan.kind === 'not-modified' : undefined,
    request,
    // Without these fields Koa's own `fresh` is false, too.
    isConditional: request['if-none-match'] !== undefined || request['if-modified-since'] !== undefined,
    type,
    contentDisposition: disposition === undefined ? undefined : dispositionOf(ctx, disposition, content.name),
    cacheControl,
    acceptRanges,
  }
}

const DATES = ['if-modified-since', 'if-unmodified-since']

/**
 * Returns the request's fields. Node drops the second line of a date field, but two lines are a list and so not a valid
 * date, which is ignored (RFC 9110 §5.2, §13.1.3).
 */
function requestFields({ req, headers }: Koa.Context): RequestFields {
  if (headers['if-modified-since'] === undefined && headers['if-unmodified-since'] === undefined)
    return headers
  const repeated = DATES.filter((name) => countLines(req.rawHeaders, name) > 1)
  return repeated.length === 0
    ? headers
    : { ...headers, ...Object.fromEntries(repeated.map((name) => [name, undefined])) }
}

/** @param rawHeaders names and values in turn; a mock request in an app's tests may lack them */
function countLines(rawHeaders: readonly string[] = [], name: string): number {
  return rawHeaders.filter((text, at) => at % 2 === 0 && text.toLowerCase() === name).length
}

/** The value of a field that is set already; Koa's own `get` is typed as a string and may give `undefined`. */
export function responseField({ res }: Koa.Context, name: string): string | undefined {
  const value = res.getHeader(name)
  return value === undefined ? undefined : String(value)
}

/**
 * The validators of a response: those that the app has set, else the content's.
 *
 * A weak tag, which @koa/etag gives every file, yields to a strong one, as If-Range never matches it: Chromium would load
 * all of a video again at each seek. A date or tag that is malformed stays as it is, and matches nothing.
 */
export function contentValidators(
  ctx: Koa.Context,
  content: Representation,
): Pick<Representation, 'etag' | 'lastModified'> {
  const date = responseField(ctx, 'Last-Modified')
  const tag = responseField(ctx, 'ETag')
  const used = tag ?? content.etag
  if (used?.endsWith('"') === false)
    warnOnce(
      'UNQUOTED_ETAG',
      `The ETag ${used} is not quoted, so it matches no request. Write it as '"${used}"'.`,
    )
  const isWeaker = isWeak(tag) && content.etag !== undefined && !isWeak(content.etag)
  return {
    etag: isWeaker ? content.etag : used,
    lastModified: date === undefined ? content.lastModified : (parseHttpDate(date) ?? undefined),
  }
}

function isWeak(tag: string | undefined): boolean {
  return tag?.startsWith('W/') ?? false
}

/** Whether the app has set Accept-Ranges to a list without bytes, such as `none` (RFC 9110 §14.3). */
function refusesRanges(acceptRanges: string | undefined): boolean {
  return acceptRanges !== undefined && !/(?:^|[\s,])bytes(?:$|[\s,])/i.test(acceptRanges)
}

/** A cache, because Koa looks the extension up in two tables and formats the type for each response. */
const typesByExtension = new LruMap<string, string>(1000)

/** Returns the content's type, or the type that the app has set, or Koa's type for the extension of the file name. */
function mediaType(ctx: Koa.Context, content: Content): string {
  if (content.type !== undefined) return content.type
  if (ctx.res.hasHeader('Content-Type')) return ctx.response.get('Content-Type')
  const extension = extname(content.name ?? '')
  const known = typesByExtension.get(extension)
  if (known !== undefined) return known
  const setType = (response: Koa.Response) => {
    response.type = extension
  }
  const type = fieldOfKoa(ctx, 'Content-Type', setType) ?? 'application/octet-stream'
  typesByExtension.set(extension, type)
  return type
}

const MAX_NAMES = 1000
/** Longer names are not cached: they are rare, and clients could fill the memory with them. */
const MAX_NAME_LENGTH = 1000

/** The latest values of Content-Disposition, because formatting one takes longer than planning the response. */
const dispositions = {
  inline: new LruMap<string, string>(MAX_NAMES),
  attachment: new LruMap<string, string>(MAX_NAMES),
}

/** Returns the value of Content-Disposition that Koa would set. */
function dispositionOf(
  ctx: Koa.Context,
  type: 'inline' | 'attachment',
  name: string | undefined,
): string | undefined {
  const known = name === undefined ? undefined : dispositions[type].get(name)
  if (known !== undefined) return known
  const options = dispositionOptions(type, name ?? '')
  const value = fieldOfKoa(ctx, 'Content-Disposition', (response) => response.attachment(name, options))
  if (name !== undefined && value !== undefined && name.length <= MAX_NAME_LENGTH)
    dispositions[type].set(name, value)
  return value
}

/**
 * Returns options that send a non-ASCII name in `filename*` (RFC 6266 §4.3), because content-disposition would send
 * Latin-1 as raw bytes.
 */
function dispositionOptions(
  type: 'inline' | 'attachment',
  name: string,
): Parameters<Koa.Response['attachment']>[1] {
  const fallback = name.replace(/[^\x20-\x7e]/g, '?')
  return fallback === name ? { type } : { type, fallback }
}

/** Returns the value that a setter of Koa's response gives a field, without setting it on the response. */
function fieldOfKoa(
  ctx: Koa.Context,
  name: string,
  set: (response: Koa.Response) => void,
): string | undefined {
  const fields = new Map<string, string>()
  const res = {
    headersSent: false,
    setHeader: (field: string, value: string) => fields.set(field, value),
    hasHeader: (field: string) => fields.has(field),
    removeHeader: (field: string) => fields.delete(field),
  }
  const response: Koa.Response = Object.create(ctx.response, { res: { value: res } })
  set(response)
  return fields.get(name)
}
