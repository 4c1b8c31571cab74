import { type Exchange, setUploadFields } from './answer.ts'
import { inspectFor } from './inspect.ts'

/** Answers DELETE of an upload (§4.5); what one has become stays. */
export async function cancel(exchange: Exchange, id: string): Promise<void> {
  const { ctx, settings } = exchange
  const state = await inspectFor(exchange, id, 'cancel')
  if (state === null) return
  if (state.committed === null) {
    const session = await settings.store.resume(id)
    await session?.abort()
  }
  setUploadFields(exchange, false)
  ctx.body = null
  ctx.status = 204
}
