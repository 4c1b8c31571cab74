import type { StoredObject, UploadMeta, UploadState } from 'upload-store'

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

/** What is kept with an upload, beside `meta` of the app. */
export function metaOf({ metadata = {}, size }: TusUpload, meta: UploadMeta): UploadMeta {
  const kept = { ...meta, [METADATA]: JSON.stringify(metadata) }
  return size === undefined ? kept : withLength(kept, size)
}

export function withLength(meta: UploadMeta, length: number): UploadMeta {
  return { ...meta, [LENGTH]: length }
}

/** How long the upload will be in bytes, or `null` where the client has not said. */
export function lengthOf(meta: UploadMeta): number | null {
  const length = meta[LENGTH]
  return typeof length === 'number' ? length : null
}

/** Whether tus began the upload: those of other protocols are theirs. */
export function isTus(meta: UploadMeta): boolean {
  return typeof meta[METADATA] === 'string'
}

/** @param expireAfter how long the store keeps an upload that nobody goes on with, in ms */
export function uploadOf(
  { id, meta, offset, expires }: UploadState,
  committed: StoredObject | null,
  expireAfter: number,
): TusUpload {
  const size = committed?.size ?? lengthOf(meta) ?? undefined
  return {
    id,
    size,
    offset: committed?.size ?? offset,
    metadata: metadataOf(meta),
    storage: undefined,
    // @tus/server adds `expireAfter` to it and answers 410 from then on; what is finished has no end that clients may know.
    creation_date: committed === null ? new Date(expires - expireAfter).toISOString() : undefined,
    sizeIsDeferred: size === undefined,
  }
}

function metadataOf(meta: UploadMeta): TusMetadata | undefined {
  const kept: TusMetadata = JSON.parse(String(meta[METADATA]))
  return Object.keys(kept).length === 0 ? undefined : kept
}
