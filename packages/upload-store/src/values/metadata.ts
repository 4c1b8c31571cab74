import type { UploadMetadata } from '../contract/upload-session.ts'

const MAX_LENGTH = 8192

/**
 * Returns `metadata` if it can be stored.
 *
 * @throws TypeError if it is not a flat object of strings, finite numbers and booleans; RangeError if it is longer than
 * 8 KiB
 */
export function checkMetadata(metadata: UploadMetadata): UploadMetadata {
  if (!isMetadata(metadata))
    throw new TypeError(
      'The metadata of an upload is not a flat object of strings, finite numbers and booleans.',
    )
  const length = Buffer.byteLength(JSON.stringify(metadata))
  if (length > MAX_LENGTH) {
    throw new RangeError(
      `The metadata of an upload has ${length} bytes as JSON. At most ${MAX_LENGTH} are accepted.`,
    )
  }
  return metadata
}

export function isMetadata(value: unknown): value is UploadMetadata {
  return typeof value === 'object' && value !== null && Object.values(value).every(isPlain)
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
}
