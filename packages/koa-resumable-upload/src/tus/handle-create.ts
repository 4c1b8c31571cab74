import { create } from '../core/create.ts'
import type { Exchange } from '../core/exchange.ts'
import type { UploadTarget } from '../core/hooks.ts'
import { limitBroken } from '../core/limits.ts'
import { PARTIAL_UPLOAD } from '../core/reserved-metadata.ts'
import { malformed, notOffsetStream, RefusedError } from '../errors.ts'
import { findTusTarget } from './find-tus-target.ts'
import { handleConcatenate } from './handle-concatenate.ts'
import { withMetadataField } from './tus-exchange.ts'
import { readTusRequest, type TusRequest } from './tus-request.ts'

/** Answers POST: creates an upload, with content or without (tus 1.0, "Creation", "Creation With Upload"). */
export async function handleCreate(exchange: Exchange): Promise<void> {
  const { ctx, settings, contentLength } = exchange
  const request = readTusRequest(ctx)
  if (request.concat?.kind === 'final') {
    await handleConcatenate(exchange, request, request.concat.parts)
    return
  }
  const isPart = request.concat !== null
  const length = declaredLength(request)
  const target = isPart ? await partTarget(exchange) : await findTusTarget(exchange, request, length)
  const { metadata = {} } = target
  if (contentLength !== 0 && !request.hasType) throw new RefusedError(notOffsetStream())
  const end = length ?? contentLength
  const broken = limitBroken(settings.limits, {
    length: end,
    content: contentLength,
    last: contentLength === length,
  })
  if (broken !== null) throw new RefusedError(broken)
  if (length !== null && contentLength !== null && contentLength > length) {
    throw new RefusedError(exchange.beyondLength(length).refusal)
  }
  const kept = withMetadataField(metadata, request.metadataField)
  await create(exchange, { ...target, metadata: kept }, { digest: undefined, length, last: false, isPart })
}

/** A part has no name of its own: the request that puts the parts together has the metadata. */
async function partTarget({ ctx, settings }: Exchange): Promise<UploadTarget> {
  const target = {
    key: 'part of an upload',
    metadata: { ...settings.partMetadata(ctx), ...PARTIAL_UPLOAD },
  }
  await settings.authorize(ctx, 'create', target)
  return target
}

/** @throws RefusedError 400 unless the request has either a length or the announcement that it follows */
function declaredLength({ length, isDeferred }: TusRequest): number | null {
  if (isDeferred === (length === null)) return length
  const fault = isDeferred ? 'both Upload-Length and Upload-Defer-Length' : 'no Upload-Length'
  const remedy = 'Send the length of the file, or Upload-Defer-Length: 1 until you know it.'
  throw new RefusedError(malformed(`The request has ${fault}. ${remedy}`))
}
