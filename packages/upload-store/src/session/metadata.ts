import type { UploadMetadata } from '../contract/upload-session.ts'

const MAX_LENGTH = 8192

/**
 * Meta that can be kept.
 *
 * @throws TypeError when it is no flat object of text, finite numbers and booleans; RangeError when it is longer than 8 KiB
 */
export function checkMetadata(metadata: UploadMetadata): UploadMetadata {
  if (!isMetadata(metadata))
    throw new TypeError(
      'The metadata of an upload is not a flat object of text, finite numbers and booleans. Give one.',
    )
  const length = Buffer.byteLength(JSON.stringify(metadata))
  if (length > MAX_LENGTH) {
    throw new RangeError(
      `The metadata of an upload has ${length} bytes of JSON; the limit is ${MAX_LENGTH}. Give less.`,
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
