import { type ConnectionOptions, connect } from './connection.ts'
import { explain } from './errors.ts'

/**
 * The largest clock difference that S3 accepts, in ms. The SDK corrects a larger one for its signatures, but sweep
 * compares local times with those of S3.
 */
const MAX_SKEW = 15 * 60_000
const SKEWED = Object.assign(new Error('The clocks differ.'), { name: 'RequestTimeTooSkewed' })

/**
 * Resolves if the bucket can be listed and this machine's clock agrees with that of S3. Call it at start, so that an operator
 * sees the error of a mistyped key at once.
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
