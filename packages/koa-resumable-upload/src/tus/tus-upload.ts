import type { StoredObject, UploadMetadata, UploadState } from 'upload-store'

/** What Upload-Metadata tells: text, or `null` for a name without a value. */
export type TusMetadata = Record<string, string | null>

/** An upload as @tus/server knows it. */
export interface TusUpload {
  id: string
  /** Bytes, `undefined` while the client has not said. */
  size: number | undefined
  offset: number
  metadata: TusMetadata | undefined
  storage: { type: string; path: string; bucket?: string } | undefined
  creation_date: string | undefined
  readonly sizeIsDeferred: boolean
}

const METADATA = 'tus.metadata'
const LENGTH = 'tus.length'

/** The metadata of the store's upload: that of the app, and the client's Upload-Metadata. */
export function storeMetadata({ metadata = {}, size }: TusUpload, own: UploadMetadata): UploadMetadata {
  const kept = { ...own, [METADATA]: JSON.stringify(metadata) }
  return size === undefined ? kept : withLength(kept, size)
}

export function withLength(metadata: UploadMetadata, length: number): UploadMetadata {
  return { ...metadata, [LENGTH]: length }
}

/** How long the upload will be in bytes, or `null` where the client has not said. */
export function lengthOf(metadata: UploadMetadata): number | null {
  const length = metadata[LENGTH]
  return typeof length === 'number' ? length : null
}

/** Whether tus began the upload: those of other protocols are theirs. */
export function isTus(metadata: UploadMetadata): boolean {
  return typeof metadata[METADATA] === 'string'
}

/** @param expireAfter how long the store keeps an upload that no client resumes, in ms */
export function uploadOf(
  { id, metadata, offset, expires }: UploadState,
  committed: StoredObject | null,
  expireAfter: number,
): TusUpload {
  const size = committed?.size ?? lengthOf(metadata) ?? undefined
  return {
    id,
    size,
    offset: committed?.size ?? offset,
    metadata: clientMetadata(metadata),
    storage: undefined,
    // @tus/server adds `expireAfter` to it and answers 410 from then on; what is finished has no end that clients may know.
    creation_date: committed === null ? new Date(expires - expireAfter).toISOString() : undefined,
    sizeIsDeferred: size === undefined,
  }
}

function clientMetadata(metadata: UploadMetadata): TusMetadata | undefined {
  const kept: TusMetadata = JSON.parse(String(metadata[METADATA]))
  return Object.keys(kept).length === 0 ? undefined : kept
}
