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

/** A committed object and its bytes; fits koa-range-stream's `Content`. */
export interface StoredContent extends StoredObject {
  /** The key, under the Web platform's word for a file's name. */
  readonly name: string
  /**
   * Opens the bytes of `range`, inclusive at both ends, or all of them.
   *
   * @throws StoreError NOT_FOUND when the object was replaced or deleted meanwhile, CORRUPT when its bytes are damaged
   */
  stream(range?: { readonly start: number; readonly end: number }): Promise<Readable>
}

/** Where the bytes of an upload come from: any stream of Node or the Web platform, or an async generator. */
export type ByteSource = AsyncIterable<Uint8Array>

export interface CreateOptions {
  /** The media type that the client declares; used where the store detects none itself (application/octet-stream). */
  readonly type?: string | undefined
  /** The sha-256 that the content must have, lower-case hex (unchecked). */
  readonly digest?: string | undefined
}

/** Conditions that are checked and acted on in one step. */
export interface CommitOptions {
  /** Commits only if the key holds nothing. */
  readonly ifNoneMatch?: '*' | undefined
  /** Commits only if the key holds the object with this entity-tag, or with `*` any object. */
  readonly ifMatch?: string | undefined
}

export interface SealedUpload {
  /** Length in bytes. */
  readonly size: number
  readonly type: string
  /** sha-256, lower-case hex. */
  readonly digest: string
}

/** An upload that nobody sees until it is committed: receiving, then sealed, then committed or aborted. */
export interface UploadSession {
  /** 22 characters of base64url, 128 random bits. */
  readonly id: string
  /** The key that `commit` publishes under unless told otherwise. */
  readonly key: string
  /** How many bytes have been taken in. */
  readonly offset: number
  /**
   * Takes in bytes from `offset` on and resolves to the new offset.
   *
   * @throws StoreError OFFSET_MISMATCH, TOO_LARGE, UNSUPPORTED_TYPE, NO_SPACE, ABORTED; what the source throws
   */
  append(offset: number, source: ByteSource): Promise<number>
  /**
   * Ends the upload: all bytes are durable, size, type and digest are known. May be called again.
   *
   * @throws StoreError UNSUPPORTED_TYPE, DIGEST_MISMATCH, NO_SPACE, ABORTED
   */
  seal(): Promise<SealedUpload>
  /**
   * Makes the object visible under `key` in one atomic step, sealing first where that is still to do. When it has
   * resolved, the object survives a power cut.
   *
   * @param options `key` in place of the session's own
   * @throws StoreError PRECONDITION_FAILED, after which another commit may follow; INVALID_KEY, NO_SPACE, ABORTED
   */
  commit(options?: CommitOptions & { readonly key?: string | undefined }): Promise<StoredObject>
  /** Removes what was staged; does nothing after a commit or a first abort. */
  abort(): Promise<void>
}

export interface ListOptions {
  /** Only keys that begin with this. */
  readonly prefix?: string | undefined
  /** Where the previous page ended: its `cursor`. */
  readonly cursor?: string | undefined
  /** The most items, 1–1000 (50). */
  readonly limit?: number | undefined
}

export interface ListPage {
  /** In the order of the keys' UTF-8 bytes. */
  readonly items: readonly StoredObject[]
  /** For the next page; `null` on the last one. */
  readonly cursor: string | null
}

/** A place for uploads that shows only what arrived whole. */
export interface UploadStore {
  /**
   * Stores `source` under `key`, replacing what was there: create, append, seal and commit in one.
   *
   * @throws StoreError INVALID_KEY, TOO_LARGE, UNSUPPORTED_TYPE, DIGEST_MISMATCH, NO_SPACE, PRECONDITION_FAILED; what the
   * source throws
   */
  put(key: string, source: ByteSource, options?: CreateOptions & CommitOptions): Promise<StoredObject>
  /**
   * The object under `key`, or `null`. Opens nothing.
   *
   * @throws StoreError INVALID_KEY, CORRUPT
   */
  get(key: string): Promise<StoredContent | null>
  /** One page of objects in key order; an unknown `cursor` is an empty page behind the last key. */
  list(options?: ListOptions): Promise<ListPage>
  /**
   * Removes the object under `key`; readers that have opened it finish. Resolves to whether there was one.
   *
   * @param options `ifMatch`: only the object with this entity-tag
   * @throws StoreError INVALID_KEY, PRECONDITION_FAILED
   */
  delete(key: string, options?: { readonly ifMatch?: string | undefined }): Promise<boolean>
  /**
   * Begins an upload that will be published under `key`.
   *
   * @throws StoreError INVALID_KEY, NO_SPACE
   */
  create(key: string, options?: CreateOptions): Promise<UploadSession>
  /** Aborts the sessions that are still open. */
  close(): Promise<void>
}

export interface StoreOptions {
  /** The most bytes in one object (10 GiB). */
  readonly maxFileSize?: number | undefined
  /** Media types to take: `type/subtype`, `type/*` or two asterisks (everything). */
  readonly accept?: readonly string[] | undefined
  /**
   * Tells the media type from the first 4 KiB, or all bytes where there are fewer; `undefined`: unknown, which is
   * application/octet-stream (none: the declared type counts).
   */
  readonly detectType?: ((head: Uint8Array) => string | undefined | Promise<string | undefined>) | undefined
}
