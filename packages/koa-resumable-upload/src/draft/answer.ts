import type Koa from 'koa'
import type { StoredObject, UploadMeta } from 'upload-store'
import { formatLimits } from '../core/limits.ts'
import { isGone } from '../http/connection.ts'
import { lingering } from '../http/unread-body.ts'
import { formatReprDigest, wantsSha256 } from './content-digest.ts'
import type { Settings } from './options.ts'
import type { Refusal } from './refusal.ts'
import { formatBoolean } from './structured-fields.ts'
import type { UploadRequest } from './upload-request.ts'

/** One request about an upload. */
export interface Exchange {
  readonly ctx: Koa.Context
  readonly settings: Settings
  readonly request: UploadRequest
}

/** What a response tells of the upload besides whether it is complete. */
export interface Known {
  readonly offset?: number | undefined
  readonly length?: number | null | undefined
  /** ms since the epoch (as long as a new upload is kept). */
  readonly expires?: number | undefined
  /** The URL of the upload, where the client may not know it. */
  readonly location?: string | undefined
}

/** How soon to ask again, in seconds. */
const RETRY_AFTER: Readonly<Record<number, string>> = { 503: '5', 507: '60' }

/** Fields that an app may have set for content that does not come. */
const CONTENT_FIELDS = ['Content-Disposition', 'Content-Encoding', 'Content-Range', 'ETag', 'Last-Modified']

/** @param complete whether the response comes from what the upload was for, not from the uploading of it */
export function setUploadFields(exchange: Exchange, complete: boolean, known: Known = {}): void {
  const { ctx, request } = exchange
  const { version, inverted } = request.interop
  const { offset, length, location } = known
  if (version !== null) ctx.set('Upload-Draft-Interop-Version', String(version))
  if (inverted) ctx.set('Upload-Incomplete', formatBoolean(!complete))
  else ctx.set('Upload-Complete', formatBoolean(complete))
  if (offset !== undefined) ctx.set('Upload-Offset', String(offset))
  if (length !== undefined && length !== null) ctx.set('Upload-Length', String(length))
  if (location !== undefined) ctx.set('Location', location)
}

export function limitFieldFor({ settings, request }: Exchange, expires?: number): string {
  const left = expires === undefined ? settings.expireAfter : expires - Date.now()
  return formatLimits(settings.limits, left, request.interop)
}

/** Answers that the upload is not complete yet. */
export function answerUnfinished(exchange: Exchange, status: number, known: Known): void {
  const { ctx, settings } = exchange
  const { offset, expires = offset === 0 ? Date.now() + settings.expireEmptyAfter : undefined } = known
  setUploadFields(exchange, false, known)
  ctx.set('Upload-Limit', limitFieldFor(exchange, expires))
  ctx.body = ''
  ctx.status = status
  ctx.remove('Content-Type')
}

/** Answers as what the upload was for does. */
export async function answerCommitted(
  exchange: Exchange,
  object: StoredObject,
  meta: UploadMeta,
  location?: string,
): Promise<void> {
  const { ctx, settings, request } = exchange
  if (isGone(ctx)) {
    ctx.respond = false
    return
  }
  setUploadFields(exchange, true, { offset: object.size, length: object.size })
  if (wantsSha256(ctx.get('Want-Repr-Digest')) === true)
    ctx.set('Repr-Digest', formatReprDigest(object.digest))
  await settings.respond(ctx, object, meta)
  if (location === undefined || !request.interop.lengthCompletes) return
  // tus-js-client takes the Location of a creation for the upload's, and asks there later.
  moveLocation(ctx)
  ctx.set('Location', location)
}

/** Where the content is, told in a response that has no place for its Location. */
export function moveLocation(ctx: Koa.Context): void {
  if (!ctx.res.hasHeader('Location')) return
  ctx.set('Content-Location', ctx.response.get('Location'))
  ctx.remove('Location')
}

export function answerRefusal(exchange: Exchange, refusal: Refusal, known: Known = {}): void {
  const { ctx } = exchange
  const { status, type, title, detail, members, headers = {}, final, limited } = refusal
  for (const name of CONTENT_FIELDS) ctx.remove(name)
  for (const [name, value] of Object.entries(headers)) ctx.set(name, [value].flat())
  setUploadFields(exchange, final, known)
  if (limited === true || status === 413) ctx.set('Upload-Limit', limitFieldFor(exchange, known.expires))
  const retryAfter = RETRY_AFTER[status]
  if (retryAfter !== undefined && !ctx.res.hasHeader('Retry-After')) ctx.set('Retry-After', retryAfter)
  const text = JSON.stringify({
    ...(type === undefined ? {} : { type }),
    title,
    status,
    ...(detail === undefined ? {} : { detail }),
    ...members,
  })
  ctx.body = ctx.method === 'HEAD' ? text : lingering(ctx, text)
  ctx.status = status
  ctx.set('Content-Type', 'application/problem+json')
  ctx.length = Buffer.byteLength(text)
}
