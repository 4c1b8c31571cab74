import type { Readable } from 'node:stream'

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
}

/**
 * Opens the bytes of `range`, inclusive at both ends, or all of them.
 *
 * @throws StoreError NOT_FOUND when the object was replaced or deleted meanwhile, CORRUPT when its bytes are damaged
 */
export interface StoredStream {
  (range?: { readonly start: number; readonly end: number }): Promise<Readable>
  /** The path of a regular file that holds these bytes, and never others, as long as it exists; none in other stores. */
  readonly immutableFile?: string
}

/** A committed object and its bytes; fits koa-range-stream's `Content`. */
export interface StoredContent extends StoredObject {
  /** The key, under the Web platform's word for a file's name. */
  readonly name: string
  readonly stream: StoredStream
  /**
   * A URL at which anybody can read the bytes, by range too, for `expiresIn` seconds (60); of stores on S3. It gives
   * the media type, and no other field that a server would set.
   */
  readonly location?: (expiresIn?: number) => Promise<URL>
}
