import { type Exchange, setUploadFields } from '../draft/answer.ts'
import { asNewest } from '../http/retry-as-newest.ts'
import { findFor } from './find-upload.ts'

/** Answers DELETE of an upload (§4.5): nothing is known of it afterwards; what one has become stays. */
export async function cancel(exchange: Exchange, id: string): Promise<void> {
  const { ctx, settings } = exchange
  if ((await findFor(exchange, id, 'cancel')) === null) return
  await asNewest(() => settings.store.deleteUpload(id))
  setUploadFields(exchange, false)
  ctx.body = null
  ctx.status = 204
}
