import { type ConnectionOptions, connect } from './connection.ts'
import { explain } from './errors.ts'

/** S3 refuses requests by clocks that differ by more; the SDK then goes by the store's, and sweep would not. */
const MAX_SKEW = 15 * 60_000
const SKEWED = Object.assign(new Error('The clocks differ.'), { name: 'RequestTimeTooSkewed' })

/**
 * Resolves where the bucket can be listed by a clock like the store's. To be called at start: an operator who has mistyped a
 * key then reads of it at once.
 *
 * @throws StoreError UNAVAILABLE, when there is no answer within `timeout`; an Error that names the remedy
 * @example
 * await checkBucket({ endpoint: 'http://127.0.0.1:7480', bucket: 'videos', timeout: 5000 })
 */
export async function checkBucket(options: ConnectionOptions): Promise<void> {
  const bucket = connect(options)
  const { client, name } = bucket
  try {
    await bucket.page(options.prefix ?? '', '', 1)
    if (Math.abs(client.config.systemClockOffset) > MAX_SKEW) throw explain(SKEWED, name)
  } finally {
    if (options.client === undefined) client.destroy()
  }
}
