import type Koa from 'koa'
import type { StoredObject, UploadMetadata, UploadState } from 'upload-store'
import { answerProblem } from '../core/answer-problem.ts'
import type { Exchange, Known } from '../core/exchange.ts'
import type { Settings } from '../core/options.ts'
import { isPartialUpload, uploadLength } from '../core/reserved-metadata.ts'
import { beyondTusLength, type Refusal, RefusedError, storedMetadataTooLong } from '../errors.ts'
import { isClientGone } from '../http/connection.ts'
import { contentLengthOf } from '../http/content-length.ts'
import { moveLocation } from '../http/move-location.ts'
import { uploadChecksum } from './checksum.ts'

export const TUS_VERSION = '1.0.0'

/** The name under which Upload-Metadata is stored with an upload. Only uploads that tus created have it. */
const FIELD = 'tus.metadata'

/** Bytes of JSON. The store accepts 8,192, and this package adds its own entries. */
const MAX_METADATA = 8000

/** @throws RefusedError 431 if they are too long to be stored together */
export function withMetadataField(metadata: UploadMetadata, field: string): UploadMetadata {
  const kept = { ...metadata, [FIELD]: field }
  const length = Buffer.byteLength(JSON.stringify(kept))
  if (length > MAX_METADATA) throw new RefusedError(storedMetadataTooLong(length, MAX_METADATA))
  return kept
}

/** Returns Upload-Metadata as the client has sent it. */
export function metadataField(metadata: UploadMetadata): string {
  return String(metadata[FIELD] ?? '')
}

/** An exchange in terms of tus 1.0. */
export function tusExchange(ctx: Koa.Context, settings: Settings): Exchange {
  ctx.set('Tus-Resumable', TUS_VERSION)
  return {
    ctx,
    settings,
    contentLength: contentLengthOf(ctx),
    lengthCompletes: true,
    // tus has no interim responses.
    onDurable: undefined,
    locatesRefused: false,
    announce: () => false,
    owns: (metadata) => typeof metadata[FIELD] === 'string',
    contentDigest: () => uploadChecksum(ctx),
    beyondLength: (length) => ({ refusal: beyondTusLength(length), fatal: false }),
    answerUnfinished: (status, known) => answerUnfinished(ctx, settings, status, known),
    answerCommitted: (object, metadata, location) =>
      answerCommitted(ctx, settings, object, metadata, location),
    answerRefusal: (refusal, known) => answerRefusal(ctx, refusal, known),
  }
}

function answerUnfinished(ctx: Koa.Context, settings: Settings, status: number, known: Known): void {
  const { offset = 0, location } = known
  const { expires = Date.now() + (offset === 0 ? settings.expireEmptyAfter : settings.expireAfter) } = known
  ctx.set('Upload-Offset', String(offset))
  setExpires(ctx, expires)
  if (location !== undefined) ctx.set('Location', location)
  answerEmpty(ctx, status)
}

/** @param expires ms since the epoch */
export function setExpires(ctx: Koa.Context, expires: number): void {
  ctx.set('Upload-Expires', new Date(expires).toUTCString())
}

/** Lets the app respond, and keeps of its response what tus has room for: the fields, with Location as Content-Location. */
async function answerCommitted(
  ctx: Koa.Context,
  settings: Settings,
  object: StoredObject,
  metadata: UploadMetadata,
  location?: string,
): Promise<void> {
  if (isClientGone(ctx)) {
    ctx.respond = false
    return
  }
  await sendContentLocation(ctx, settings, object, metadata)
  ctx.set('Upload-Offset', String(object.size))
  if (location !== undefined) ctx.set('Location', location)
  answerEmpty(ctx, location === undefined ? 204 : 201)
}

export async function sendContentLocation(
  ctx: Koa.Context,
  settings: Settings,
  object: StoredObject,
  metadata: UploadMetadata,
): Promise<void> {
  await settings.respond(ctx, object, metadata)
  moveLocation(ctx)
  // It is that of the content, and this response is about the upload.
  ctx.remove('ETag')
}

export function answerEmpty(ctx: Koa.Context, status: number): void {
  // Not null: if the app has responded with JSON, Koa would send the text "null".
  ctx.body = ''
  ctx.status = status
  ctx.remove('Content-Type')
}

function answerRefusal(ctx: Koa.Context, refusal: Refusal, known: Known = {}): void {
  answerProblem(ctx, refusal)
  // A conflict shows the client where to resume. With 403, 404 and 410, tus forbids the field.
  if (refusal.status === 409 && known.offset !== undefined) ctx.set('Upload-Offset', String(known.offset))
}

/**
 * Returns the offset of an upload that is not an object. A part may have more bytes than its length: those of other parts while
 * they are put together, and all bytes of the whole once it has only a receipt. To its client, it is complete.
 */
export function reachedOffset({ offset, metadata }: UploadState): number {
  const length = uploadLength(metadata)
  return isPartialUpload(metadata) && length !== null ? Math.min(offset, length) : offset
}
