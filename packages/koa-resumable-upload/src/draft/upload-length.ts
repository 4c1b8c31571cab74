import type { UploadMeta } from 'upload-store'

const NAME = 'rufh.length'

/** How long the upload will be in bytes, or `null` where the client has not said. */
export function lengthOf(meta: UploadMeta): number | null {
  const length = meta[NAME]
  return typeof length === 'number' ? length : null
}

export function withLength(meta: UploadMeta, length: number | null): UploadMeta {
  return length === null ? meta : { ...meta, [NAME]: length }
}
