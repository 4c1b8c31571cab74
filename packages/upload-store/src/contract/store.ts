import type { DamagedEntry, RecoverReport, SweepReport, VerifyReport } from './reports.ts'
import type { StoredContent, StoredObject } from './stored-object.ts'
import type {
  ByteSource,
  CommitOptions,
  CreateOptions,
  KnownUpload,
  UploadPart,
  UploadSession,
  UploadState,
} from './upload-session.ts'

/**
 * `key`: by the UTF-8 bytes of the keys; `name`: as people sort names, without case and accents, and 2 before 10; `newest` and
 * `largest`: by `lastModified` and `size`, downwards.
 */
export type ListOrder = 'key' | 'name' | 'newest' | 'largest'

export interface ListOptions {
  /** Only keys that begin with this (all). */
  readonly prefix?: string | undefined
  /** Only keys that contain this text; case, accents and Unicode form do not matter (all). */
  readonly contains?: string | undefined
  /** The order of the items (`key`). */
  readonly order?: ListOrder | undefined
  /** Whether companions are listed: captions and pictures beside an object that exists, see `companionKeys` (`true`). */
  readonly companions?: boolean | undefined
  /** The `cursor` of the previous page, which had the same options (the first page). */
  readonly cursor?: string | undefined
  /** Maximum number of items, 1–1000 (50). */
  readonly limit?: number | undefined
}

export interface ListPage {
  readonly items: readonly StoredObject[]
  /** The cursor of the next page; `null` on the last one. */
  readonly cursor: string | null
  /** Number and size, in bytes, of the objects on all pages; `null` if the store would have to read all of them. */
  readonly total: { readonly count: number; readonly size: number } | null
}

export interface VerifyOptions {
  /** Called after each object with its size in bytes (none). */
  readonly onProgress?: ((bytes: number) => void) | undefined
}

export type PutOptions = Omit<CreateOptions, 'metadata'> & CommitOptions

/**
 * A place for uploads that shows only complete objects. Each method may also throw StoreError UNAVAILABLE: the disk or the
 * bucket cannot be reached or written at the moment, or another process that uses the upload or key does not respond.
 */
export interface UploadStore {
  /** What clients have to know before they send an upload. `koa-resumable-upload` announces it. */
  readonly limits: StoreLimits
  /**
   * Stores `source` under `key`, replacing what was there: create, append, seal and commit in one.
   *
   * @throws StoreError INVALID_KEY, TOO_LARGE, UNSUPPORTED_TYPE, DIGEST_MISMATCH, NO_SPACE, PRECONDITION_FAILED; what the
   * source throws
   */
  put(key: string, source: ByteSource, options?: PutOptions): Promise<StoredObject>
  /**
   * The object under `key`, or `null`. Opens nothing.
   *
   * @throws StoreError INVALID_KEY, CORRUPT
   */
  get(key: string): Promise<StoredContent | null>
  /**
   * Resolves to one page of objects; to an empty last page for an unknown `cursor`.
   *
   * @throws StoreError UNSUPPORTED if the store would have to read too many objects: on S3, more than 10,000 keys for
   * `contains`, and more than 1,000 objects for another order than `key`
   */
  list(options?: ListOptions): Promise<ListPage>
  /**
   * Resolves to a text that changes whenever a page of the list may have changed, in any process; to `null` if the store
   * could not know that without reading the list. Compare it only with texts from the same store object.
   */
  listRevision(): Promise<string | null>
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
   * @throws StoreError INVALID_KEY, NO_SPACE; TOO_LARGE for more than the store can hold under one key
   */
  createUpload(key: string, options?: CreateOptions): Promise<UploadSession>
  /**
   * Resumes the upload `id` at the offset of its last pause, or later if a process died while it wrote. Stops the upload's
   * present writer first, in this process or another. Returns `null` if there is no such upload.
   *
   * @throws StoreError ABORTED if another caller resumes it at the same time; CORRUPT; NO_SPACE; TOO_LARGE and
   * UNSUPPORTED_TYPE if the store's options have changed since
   */
  resumeUpload(id: string): Promise<UploadSession | null>
  /**
   * Appends the other parts to the first one, which becomes an upload to be published under `key`, with the id of the first
   * part. The others stay until `leaveReceipt` or `deleteUpload`. After a failure or a crash, a call with the same parts
   * continues; the bytes are hashed, and their type is checked, at the end. Returns `null` if the first part does not exist.
   *
   * @throws StoreError INVALID_KEY; CORRUPT if a part is missing or has another size; TOO_LARGE, UNSUPPORTED_TYPE, NO_SPACE;
   * ABORTED if another caller resumes a part at the same time
   */
  concatenateUploads(
    parts: readonly UploadPart[],
    key: string,
    options?: Omit<CreateOptions, 'expectedSize' | 'isPart'>,
  ): Promise<UploadSession | null>
  /**
   * Stops the writer of the upload `id`, in this process or another, makes its bytes durable, and returns what is known of
   * the upload, with the durable offset. Reads no bytes. Returns `null` if there is no such upload.
   *
   * @throws StoreError ABORTED if another caller resumes it at the same time; CORRUPT; NO_SPACE
   */
  interruptUpload(id: string): Promise<UploadState | null>
  /**
   * Returns what the upload `id` was created for and what it became, or `null` if it can neither be resumed nor has a
   * receipt. Disturbs no writer, so that a caller can decide by it who may interrupt the upload.
   *
   * @throws StoreError CORRUPT
   */
  getUpload(id: string): Promise<KnownUpload | null>
  /**
   * Stops the writer of the upload `id`, in this process or another, and removes the upload, or the receipt of one that was
   * committed: its object stays. Resolves to whether there was either.
   *
   * @throws StoreError ABORTED if another caller resumes it at the same time; CORRUPT; NO_SPACE
   */
  deleteUpload(id: string): Promise<boolean>
  /**
   * Removes the bytes of the upload `id` and leaves a receipt like that of the committed upload `whole`, which contains them. A
   * client that asks for a part later learns that all of it has arrived, and does not send it again. Resolves to whether `id`
   * has a receipt now: `false`, and nothing changes, if there is no such upload or `whole` is not committed.
   *
   * @throws StoreError ABORTED if another caller resumes it at the same time; CORRUPT; NO_SPACE
   */
  leaveReceipt(id: string, whole: string): Promise<boolean>
  /**
   * The ids of the uploads that can be resumed, in all processes. A driver may include uploads that were committed and have
   * a receipt; `getUpload` tells them apart.
   */
  listUploads(): Promise<readonly string[]>
  /**
   * Checks that the store has space for an upload of `size` bytes now.
   *
   * @param size bytes, 0 if the length is not known
   * @throws StoreError NO_SPACE
   */
  checkSpace(size?: number): Promise<void>
  /** Call it at start: makes the uploads of killed processes resumable or removes them. Sessions of live processes stay. */
  recover(): Promise<RecoverReport>
  /**
   * Call it at intervals. It recovers, and removes expired uploads and receipts, blobs and digest links that no record names,
   * and staged files that no upload can use; never a blob that a readable record names. See `fs/upkeep/sweep.ts`
   * and `s3/upkeep/sweep.ts`.
   */
  sweep(): Promise<SweepReport>
  /**
   * Reads every byte, and puts damaged objects into quarantine or repairs them from an undamaged copy. Reports foreign
   * entries, and leaves them where they are.
   */
  verify(options?: VerifyOptions): Promise<VerifyReport>
  /** Pauses the open sessions that were paused before, and aborts all others. */
  close(): Promise<void>
}

/** The limits of a store, with their defaults where its options have none. */
export interface StoreLimits {
  /** The most bytes in one object; may be infinite. */
  readonly maxFileSize: number
  /** How long an upload is kept without a new byte, in ms. */
  readonly expireAfter: number
  /** The same for an upload that has no byte at all. */
  readonly expireEmptyAfter: number
}

export interface StoreOptions {
  /** The most bytes in one object (10 GiB). */
  readonly maxFileSize?: number | undefined
  /** Maximum total size in bytes, unfinished uploads included. These can resume when there is space again (no limit). */
  readonly maxTotalSize?: number | undefined
  /** The media types that uploads may have: `type/subtype`, `type/*` or two asterisks (all). Checked in `session/intake/accepted-type.ts`. */
  readonly accept?: readonly string[] | undefined
  /**
   * Whether captions and pictures belong to the object beside which they lie (`false`): see `companionKeys`. They may then be
   * `text/vtt` or `image/jpeg` of at most 1 MiB, whatever `accept` says, and are deleted with their object.
   */
  readonly companions?: boolean | undefined
  /**
   * Tells the media type from the first 4 KiB, or all bytes where there are fewer; `undefined`: unknown, which is
   * application/octet-stream (none: the declared type counts).
   */
  readonly detectType?: ((head: Uint8Array) => string | undefined | Promise<string | undefined>) | undefined
  /** How long an upload is kept without a new byte, in ms (24 h). */
  readonly expireAfter?: number | undefined
  /** The same for an upload that has no byte at all, if that is less (1 h). */
  readonly expireEmptyAfter?: number | undefined
  /**
   * Called when the store finds an entry that it cannot use, once an entry; the store continues without it (none). For a
   * line in a log.
   */
  readonly onDamaged?: ((entry: DamagedEntry) => void) | undefined
}
