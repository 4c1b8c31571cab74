import { type ConnectionOptions, connect } from './connection.ts'
import { explain } from './errors.ts'

/** S3 refuses requests by clocks that differ by more; the SDK then goes by the store's, and sweep would not. */
const MAX_SKEW = 15 * 60_000
const SKEWED = Object.assign(new Error('The clocks differ.'), { name: 'RequestTimeTooSkewed' })

/**
 * Resolves if the bucket can be listed, and this machine's clock is like the store's. Call it at start, so that an operator
 * reads of a mistyped key at once.
 *
 * @throws StoreError UNAVAILABLE if S3 has not answered within `timeout`, or another server answers in its place; an Error
 * that names the remedy
 * @example
 * await checkBucket({ endpoint: 'http://127.0.0.1:7480', bucket: 'videos', timeout: 5000 })
 */
export async function checkBucket(options: ConnectionOptions): Promise<void> {
  const bucket = connect(options)
  const { client, name } = bucket
  try {
    await bucket.within(bucket.limits.timeout).page(options.prefix ?? '', '', 1)
    if (Math.abs(client.config.systemClockOffset) > MAX_SKEW) throw explain(SKEWED, name)
  } finally {
    if (options.client === undefined) client.destroy()
  }
}
