import type { UploadMetadata } from 'upload-store'

/** The names under which this package keeps what it has to know of an upload. */
const LENGTH = 'upload.length'
const PARTIAL = 'upload.partial'
const PARTS = 'upload.parts'

/** Returns the length of the whole upload in bytes, or `null` if the client has not sent it. */
export function uploadLength(metadata: UploadMetadata): number | null {
  const length = metadata[LENGTH]
  return typeof length === 'number' ? length : null
}

export function withLength(metadata: UploadMetadata, length: number | null): UploadMetadata {
  return length === null ? metadata : { ...metadata, [LENGTH]: length }
}

/** Metadata of an upload that becomes a part of another one (tus, "Concatenation"), and no object of its own. */
export const PARTIAL_UPLOAD: UploadMetadata = { [PARTIAL]: true }

export function isPartialUpload(metadata: UploadMetadata): boolean {
  return metadata[PARTIAL] === true
}

/** @param urls of the parts that the upload was put together from, as the client has sent them, separated by a space */
export function withParts(metadata: UploadMetadata, urls: string): UploadMetadata {
  return { ...metadata, [PARTS]: urls }
}

/** Returns the URLs of the parts, separated by a space; `null` for an upload that was received as a whole. */
export function joinedParts(metadata: UploadMetadata): string | null {
  const urls = metadata[PARTS]
  return typeof urls === 'string' ? urls : null
}
