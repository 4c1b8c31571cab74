import type { UploadMetadata } from 'upload-store'
import type { Exchange } from '../core/exchange.ts'
import { inspect } from '../core/inspect.ts'
import { isPartialUpload, joinedParts, uploadLength } from '../core/reserved-metadata.ts'
import { answerEmpty, metadataField, reachedOffset, sendContentLocation, setExpires } from './tus-exchange.ts'

/** Answers HEAD: how far an upload has come (tus 1.0, "HEAD"). */
export async function handleHead(exchange: Exchange, id: string): Promise<void> {
  const { ctx, settings } = exchange
  const inspected = await inspect(exchange, id)
  if (inspected === null) return
  const { state } = inspected
  const committed = isPartialUpload(state.metadata) ? null : inspected.committed
  if (committed !== null) await sendContentLocation(ctx, settings, committed, state.metadata)
  else setExpires(ctx, state.expires)
  const length = committed?.size ?? uploadLength(state.metadata)
  ctx.set('Upload-Offset', String(committed?.size ?? reachedOffset(state)))
  if (length === null) ctx.set('Upload-Defer-Length', '1')
  else ctx.set('Upload-Length', String(length))
  const concat = concatField(state.metadata)
  if (concat !== null) ctx.set('Upload-Concat', concat)
  const field = metadataField(state.metadata)
  if (field !== '') ctx.set('Upload-Metadata', field)
  ctx.set('Cache-Control', 'no-store')
  answerEmpty(ctx, 200)
}

/** Returns Upload-Concat as the creation had it, or `null` for an upload that is neither a part nor consists of parts. */
function concatField(metadata: UploadMetadata): string | null {
  if (isPartialUpload(metadata)) return 'partial'
  const urls = joinedParts(metadata)
  return urls === null ? null : `final;${urls}`
}
