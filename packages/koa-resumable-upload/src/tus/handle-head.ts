import type { Exchange } from '../core/exchange.ts'
import { inspect } from '../core/inspect.ts'
import { uploadLength } from '../core/reserved-metadata.ts'
import { answerEmpty, metadataField, sendContentLocation, setExpires } from './tus-exchange.ts'

/** Answers HEAD: how far an upload has come (tus 1.0, "HEAD"). */
export async function handleHead(exchange: Exchange, id: string): Promise<void> {
  const { ctx, settings } = exchange
  const inspected = await inspect(exchange, id)
  if (inspected === null) return
  const { committed, state } = inspected
  if (committed !== null) await sendContentLocation(ctx, settings, committed, state.metadata)
  else setExpires(ctx, state.expires)
  const length = committed?.size ?? uploadLength(state.metadata)
  ctx.set('Upload-Offset', String(committed?.size ?? state.offset))
  if (length === null) ctx.set('Upload-Defer-Length', '1')
  else ctx.set('Upload-Length', String(length))
  const field = metadataField(state.metadata)
  if (field !== '') ctx.set('Upload-Metadata', field)
  ctx.set('Cache-Control', 'no-store')
  answerEmpty(ctx, 200)
}
