import type { Readable } from 'node:stream'

/**
 * Data that an application stores with an upload and with an object: a flat JSON object of at most 8 KiB. Names that contain
 * a dot are for the code that creates the upload, such as a protocol: they stay with the upload and are not copied to the
 * object.
 */
export type UploadMetadata = Readonly<Record<string, string | number | boolean>>

/** A committed object: what is known of it without reading its bytes. */
export interface StoredObject {
  /** Its name in the store. */
  readonly key: string
  /** Length in bytes. */
  readonly size: number
  /** Media type, as detected from the first bytes. */
  readonly type: string
  /** sha-256 of the bytes, lower-case hex. */
  readonly digest: string
  /** Strong entity-tag, quotes included, made from the digest. */
  readonly etag: string
  /** When the key got this content, ms since the epoch. */
  readonly lastModified: number
  /** What the application has stored with the object; `{}` if nothing. */
  readonly metadata: UploadMetadata
}

/** The header fields of the response at a signed URL: the media type, and the fields that are named here. */
export interface SignedUrlOptions {
  /** How long it can be read, in s, a week at the most (60); shorter where the credentials end before. */
  readonly expiresIn?: number | undefined
  /** The value of Content-Disposition (none). */
  readonly contentDisposition?: string | undefined
  /** The value of Cache-Control (none). */
  readonly cacheControl?: string | undefined
}

/** A committed object and its bytes; fits koa-range-stream's `Content`. */
export interface StoredContent extends StoredObject {
  /** The key, under the Web platform's word for a file's name. */
  readonly name: string
  /**
   * Opens the bytes of `range`, inclusive at both ends, or all of them.
   *
   * @throws StoreError NOT_FOUND if the object was replaced or deleted meanwhile, CORRUPT if its bytes are damaged
   */
  readonly stream: (range?: { readonly start: number; readonly end: number }) => Promise<Readable>
  /** The path of a regular file that holds these bytes, and never others, as long as it exists (file system only). */
  readonly immutableFile?: string
  /** Returns a URL at which every client can read the bytes for a limited time, also by range (S3 only). */
  readonly signedUrl?: (options?: SignedUrlOptions) => Promise<string>
}

/** A committed object on S3, which always has signed URLs. */
export interface S3Content extends StoredContent {
  readonly signedUrl: (options?: SignedUrlOptions) => Promise<string>
}
