import type { StoredObject, UploadState } from 'upload-store'
import { complete } from '../core/complete.ts'
import { interruptFor } from '../core/find-upload.ts'
import { uploadLength } from '../core/upload-length.ts'
import { malformed, RefusedError } from '../errors.ts'
import { type DraftExchange, moveLocation, setUploadFields } from './answer.ts'
import { limitField } from './upload-limit.ts'

/** Answers HEAD and GET of an upload: how far it has come (§4.3). */
export async function retrieve(exchange: DraftExchange, id: string): Promise<void> {
  const { ctx, request } = exchange
  ctx.set('Cache-Control', 'no-store')
  if (request.interop.bareRetrieval && (request.offset !== null || request.complete !== null)) {
    const detail = 'A request for the offset must not have Upload-Offset or Upload-Complete. Omit both.'
    throw new RefusedError(malformed(detail))
  }
  const state = await interruptFor(exchange, id, 'retrieve')
  if (state === null) return
  const length = uploadLength(state.metadata)
  const lost = state.committed === null && request.interop.lengthCompletes && state.offset === length
  const committed = lost ? await finish(exchange, id, state) : state.committed
  if (ctx.respond === false || (lost && committed === null)) return
  if (committed !== null) await tellWhere(exchange, committed, state)
  setUploadFields(exchange, committed !== null, {
    offset: committed?.size ?? state.offset,
    length: committed?.size ?? length,
  })
  ctx.set('Upload-Limit', limitField(exchange, state.expires))
  ctx.set('Cache-Control', 'no-store')
  ctx.body = null
  ctx.status = 204
}

/** A client that sees all bytes there asks no more: what was killed right before the commit commits now. */
async function finish(
  exchange: DraftExchange,
  id: string,
  { offset, metadata }: UploadState,
): Promise<StoredObject | null> {
  const session = await exchange.settings.store.resumeUpload(id)
  if (session !== null) return complete(exchange, session, { offset, length: uploadLength(metadata) })
  const now = await interruptFor(exchange, id, 'retrieve')
  return now?.committed ?? null
}

/** The client may have missed the final response: where the content is now it finds in Content-Location. */
async function tellWhere(
  { ctx, settings }: DraftExchange,
  object: StoredObject,
  { metadata }: UploadState,
): Promise<void> {
  await settings.respond(ctx, object, metadata)
  moveLocation(ctx)
}
