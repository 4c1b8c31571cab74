import type { UploadMetadata } from 'upload-store'

/** The names under which this package keeps what it has to know of an upload. */
const LENGTH = 'upload.length'
const PARTIAL = 'upload.partial'
const PARTS = 'upload.parts'
const FIRST_SIZE = 'upload.firstSize'

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

/** What an upload knows of the parts that it was put together from. */
export interface JoinedParts {
  /** As the client has sent them, separated by a space. */
  readonly urls: string
  /** Bytes of the first part, whose id the upload has. */
  readonly firstSize: number
}

export function withParts(metadata: UploadMetadata, { urls, firstSize }: JoinedParts): UploadMetadata {
  return { ...metadata, [PARTS]: urls, [FIRST_SIZE]: firstSize }
}

/** Returns `null` for an upload that was received as a whole. */
export function joinedParts(metadata: UploadMetadata): JoinedParts | null {
  const urls = metadata[PARTS]
  return typeof urls === 'string' ? { urls, firstSize: Number(metadata[FIRST_SIZE]) } : null
}
