import type { UploadMetadata } from 'upload-store'

const NAME = 'rufh.length'

/** How long the upload will be in bytes, or `null` where the client has not said. */
export function uploadLength(metadata: UploadMetadata): number | null {
  const length = metadata[NAME]
  return typeof length === 'number' ? length : null
}

export function withLength(metadata: UploadMetadata, length: number | null): UploadMetadata {
  return length === null ? metadata : { ...metadata, [NAME]: length }
}
