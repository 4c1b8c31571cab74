import type Koa from 'koa'
import type { StoredObject, UploadMetadata } from 'upload-store'
import { answerProblem } from '../core/answer-problem.ts'
import type { Exchange, Known } from '../core/exchange.ts'
import type { Settings } from '../core/options.ts'
import { isPartialUpload } from '../core/reserved-metadata.ts'
import { beyondLength, type Refusal } from '../errors.ts'
import { isClientGone } from '../http/connection.ts'
import { moveLocation } from '../http/move-location.ts'
import { formatReprDigest, wantsSha256 } from '../http/repr-digest.ts'
import { formatBoolean } from '../http/structured-fields.ts'
import { contentDigest } from './content-digest.ts'
import { progressSender, sendInterim } from './interim.ts'
import { takesInterimOf, versionField } from './interop.ts'
import { limitField } from './upload-limit.ts'
import type { UploadRequest } from './upload-request.ts'

/** An exchange in terms of the draft. */
export interface DraftExchange extends Exchange {
  readonly request: UploadRequest
}

export function draftExchange(ctx: Koa.Context, settings: Settings, request: UploadRequest): DraftExchange {
  const { contentLength, interop } = request
  const exchange: DraftExchange = {
    ctx,
    settings,
    request,
    contentLength,
    lengthCompletes: interop.lengthCompletes,
    onDurable: progressSender(ctx, request),
    owns: (metadata) => !isPartialUpload(metadata),
    contentDigest: () => contentDigest(ctx.get('Content-Digest')),
    // The upload is void, in every framing of the request (draft -12, §4.4.2).
    beyondLength: (length) => ({ refusal: beyondLength(length), fatal: true }),
    locatesRefused: true,
    announce: (location) => announceUpload(exchange, location),
    answerUnfinished: (status, known) => answerUnfinished(exchange, status, known),
    answerCommitted: (object, metadata, location) => answerCommitted(exchange, object, metadata, location),
    answerRefusal: (refusal, known) => answerRefusal(exchange, refusal, known),
  }
  return exchange
}

/** @param complete whether the response comes from what the upload was for, not from the uploading of it */
export function setUploadFields(exchange: DraftExchange, complete: boolean, known: Known = {}): void {
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

/** Announces the limits of uploads on a response to OPTIONS (§4.1.4). */
export function announceLimits(
  exchange: DraftExchange,
  { acceptsPatch }: { readonly acceptsPatch: boolean },
): void {
  const { ctx } = exchange
  ctx.set('Upload-Limit', limitField(exchange))
  if (acceptsPatch) ctx.set('Accept-Patch', 'application/partial-upload')
}

/** Sends the URL of the upload before its content has arrived (§5, appendix B). */
function announceUpload(exchange: DraftExchange, location: string): boolean {
  const { interop } = exchange.request
  if (!takesInterimOf(interop)) return false
  return sendInterim(exchange.ctx, {
    ...versionField(interop),
    Location: location,
    'Upload-Limit': limitField(exchange),
  })
}

/** Answers that the upload is not complete yet. */
function answerUnfinished(exchange: DraftExchange, status: number, known: Known): void {
  const { ctx, settings } = exchange
  const { offset, expires = offset === 0 ? Date.now() + settings.expireEmptyAfter : undefined } = known
  setUploadFields(exchange, false, known)
  ctx.set('Upload-Limit', limitField(exchange, expires))
  ctx.body = ''
  ctx.status = status
  ctx.remove('Content-Type')
}

/** Answers as what the upload was for does. */
async function answerCommitted(
  exchange: DraftExchange,
  object: StoredObject,
  metadata: UploadMetadata,
  location?: string,
): Promise<void> {
  const { ctx, settings, request } = exchange
  if (isClientGone(ctx)) {
    ctx.respond = false
    return
  }
  setUploadFields(exchange, true, { offset: object.size, length: object.size })
  if (wantsSha256(ctx.get('Want-Repr-Digest')) === true)
    ctx.set('Repr-Digest', formatReprDigest(object.digest))
  await settings.respond(ctx, object, metadata)
  if (location === undefined || !request.interop.lengthCompletes) return
  // tus-js-client takes the Location of a creation for the upload's, and asks there later.
  moveLocation(ctx)
  ctx.set('Location', location)
}

function answerRefusal(exchange: DraftExchange, refusal: Refusal, known: Known = {}): void {
  const { ctx } = exchange
  const { status, final, limited } = refusal
  answerProblem(ctx, refusal)
  setUploadFields(exchange, final, known)
  if (limited === true || status === 413) ctx.set('Upload-Limit', limitField(exchange, known.expires))
}
