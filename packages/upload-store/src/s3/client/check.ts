import { randomId } from '../../values/random-id.ts'
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

/**
 * Resolves if the engine obeys `If-None-Match` and `If-Match` of a PUT, on which every commit relies: without them, two
 * writers of one key would overwrite each other, and both would be acknowledged. Writes one small object, and removes it.
 *
 * @throws Error if the engine ignores a condition; StoreError UNAVAILABLE; an Error that names the remedy
 * @example
 * await checkConditionalWrites({ endpoint: 'http://127.0.0.1:7480', bucket: 'videos' })
 */
export async function checkConditionalWrites(options: ConnectionOptions): Promise<void> {
  const connected = connect(options)
  const { client } = connected
  const bucket = connected.within(connected.limits.timeout)
  const name = `${options.prefix ?? ''}check-${randomId()}`
  try {
    await bucket.putOver(name, 'first', null)
    const ignored = []
    if ((await bucket.putOver(name, 'second', null)).tag !== null) ignored.push('If-None-Match')
    if ((await bucket.putOver(name, 'third', OTHER_TAG)).tag !== null) ignored.push('If-Match')
    await bucket.remove(name)
    if (ignored.length > 0) throw new Error(ignoresConditions(connected.name, ignored))
  } finally {
    if (options.client === undefined) client.destroy()
  }
}

/** The tag of no content that is written here. */
const OTHER_TAG = '00000000000000000000000000000000'

function ignoresConditions(bucket: string, fields: readonly string[]): string {
  const text = `The engine of the bucket ${JSON.stringify(bucket)} ignores ${fields.join(' and ')} of a PUT`
  return `${text}, so that simultaneous uploads would overwrite each other. Use an engine with conditional writes, such as AWS or Ceph.`
}
