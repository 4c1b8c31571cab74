import type { StoredObject, UploadState } from 'upload-store'
import { inspect } from '../core/inspect.ts'
import { uploadLength } from '../core/reserved-metadata.ts'
import { malformed, RefusedError } from '../errors.ts'
import { moveLocation } from '../http/move-location.ts'
import { type DraftExchange, setUploadFields } from './answer.ts'
import { limitField } from './upload-limit.ts'

/** Answers HEAD and GET of an upload: how far it has come (§4.3). */
export async function retrieve(exchange: DraftExchange, id: string): Promise<void> {
  const { ctx, request } = exchange
  ctx.set('Cache-Control', 'no-store')
  if (request.interop.bareRetrieval && (request.offset !== null || request.complete !== null)) {
    const detail = 'A request for the offset must not have Upload-Offset or Upload-Complete. Omit both.'
    throw new RefusedError(malformed(detail))
  }
  const inspected = await inspect(exchange, id)
  if (inspected === null) return
  const { state, committed } = inspected
  if (committed !== null) await sendContentLocation(exchange, committed, state)
  setUploadFields(exchange, committed !== null, {
    offset: committed?.size ?? state.offset,
    length: committed?.size ?? uploadLength(state.metadata),
  })
  ctx.set('Upload-Limit', limitField(exchange, state.expires))
  ctx.set('Cache-Control', 'no-store')
  ctx.body = null
  ctx.status = 204
}

/** A client that missed the final response finds the URL of the content in Content-Location. */
async function sendContentLocation(
  { ctx, settings }: DraftExchange,
  object: StoredObject,
  { metadata }: UploadState,
): Promise<void> {
  await settings.respond(ctx, object, metadata)
  moveLocation(ctx)
}
