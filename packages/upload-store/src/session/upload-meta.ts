import type { UploadMeta } from '../contract/upload-session.ts'

const MAX_LENGTH = 8192

/**
 * Meta that can be kept.
 *
 * @throws TypeError when it is no flat object of text, finite numbers and booleans; RangeError when it is longer than 8 KiB
 */
export function checkMeta(meta: UploadMeta): UploadMeta {
  if (!isMeta(meta))
    throw new TypeError('The meta of an upload is made of text, finite numbers and booleans.')
  const length = Buffer.byteLength(JSON.stringify(meta))
  if (length > MAX_LENGTH) {
    throw new RangeError(`The meta of an upload has ${length} bytes; ${MAX_LENGTH} are kept.`)
  }
  return meta
}

export function isMeta(value: unknown): value is UploadMeta {
  return typeof value === 'object' && value !== null && Object.values(value).every(isPlain)
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
}
