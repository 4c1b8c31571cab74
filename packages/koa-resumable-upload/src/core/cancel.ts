import { retryAsNewest } from '../http/retry-as-newest.ts'
import type { Exchange } from './exchange.ts'
import { findFor } from './find-upload.ts'

/** Deletes an upload; the object of a committed one stays. Returns `false` if the request is answered with a refusal. */
export async function cancel(exchange: Exchange, id: string): Promise<boolean> {
  if ((await findFor(exchange, id, 'cancel')) === null) return false
  await retryAsNewest(() => exchange.settings.store.deleteUpload(id))
  return true
}
