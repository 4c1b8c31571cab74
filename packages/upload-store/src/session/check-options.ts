import type { StoreOptions } from '../contract/store.ts'

const MEDIA_TYPE = /^[^\s/;,]+\/[^\s/;,]+$/

/**
 * Rejects options that TypeScript would reject, or that no upload could ever satisfy.
 *
 * @throws TypeError, RangeError
 */
export function checkOptions(options: StoreOptions): void {
  const { maxFileSize, maxTotalSize, expireAfter, expireEmptyAfter, accept } = options
  checkNumber('maxFileSize', maxFileSize, 'bytes, such as 2 * 1024 ** 3')
  checkNumber('maxTotalSize', maxTotalSize, 'bytes, such as 2 * 1024 ** 3')
  checkNumber('expireAfter', expireAfter, 'milliseconds, such as 3_600_000')
  checkNumber('expireEmptyAfter', expireEmptyAfter, 'milliseconds, such as 3_600_000')
  if (accept !== undefined) checkAccept(accept)
}

function checkNumber(name: string, value: unknown, unit: string): void {
  if (value === undefined) return
  const problem = `${name} ${JSON.stringify(value) ?? String(value)}`
  if (typeof value !== 'number') throw new TypeError(`${problem} is not a number. Give a number of ${unit}.`)
  if (!(value >= 0)) throw new RangeError(`${name} ${value} is not 0 or more. Give a number of ${unit}.`)
}

function checkAccept(accept: unknown): void {
  if (!Array.isArray(accept)) {
    throw new TypeError(
      `accept ${JSON.stringify(accept)} is not a list. Give media types, such as ['video/*'].`,
    )
  }
  for (const pattern of accept) {
    if (typeof pattern === 'string' && MEDIA_TYPE.test(pattern.trim())) continue
    const remedy = "Write type/subtype, type/* or */*, such as 'video/mp4'."
    throw new TypeError(`accept contains ${JSON.stringify(pattern)}, which is not a media type. ${remedy}`)
  }
}
