import type { Readable } from 'node:stream'
import type { StoredObject, UploadMetadata } from './stored-object.ts'

/**
 * The bytes of an upload: any stream of Node or the Web platform, or an async generator. Nothing else may have read it,
 * not even in part: the store would miss those bytes, so it throws a TypeError with the code `ERR_SOURCE_CONSUMED`. To
 * store the rest of a stream that was read in part, pass an async generator over it.
 */
export type ByteSource = AsyncIterable<Uint8Array>

export interface CreateOptions {
  /** The media type that the client declares; used where the store detects none itself (application/octet-stream). */
  readonly type?: string | undefined
  /** The sha-256 that the content must have, lower-case hex (unchecked). */
  readonly digest?: string | undefined
  /** The maximum of bytes that will arrive. Space for them is set aside until the upload has been silent for 10 s (none). */
  readonly expectedSize?: number | undefined
  /**
   * Stored with the upload, and with the object that it becomes. Makes it resumable from its first byte on: `interruptUpload` and `resumeUpload` find it in every
   * process, also after a crash, and it outlives its commit as a receipt (none: only a pause makes it resumable).
   */
  readonly metadata?: UploadMetadata | undefined
  /**
   * Creates a part of a larger upload, for `concatenateUploads`. Its type is not checked, and it cannot be committed itself
   * (`false`).
   */
  readonly isPart?: boolean | undefined
}

/** A part for `concatenateUploads`. */
export interface UploadPart {
  /** The id of an upload that was created with `isPart`. */
  readonly id: string
  /** Its length in bytes. */
  readonly size: number
}

export interface AppendOptions {
  /** Called when all bytes are in; what it throws takes them back, and `append` throws it. The upload is then to be paused. */
  readonly verify?: (() => void | Promise<void>) | undefined
  /**
   * Called now and then while more comes in, with an offset that is durable: every 8 MiB or so, of an upload with metadata
   * that the store makes durable as it comes.
   */
  readonly onDurable?: ((offset: number) => void) | undefined
}

/** What an upload was created for, and what it became. */
export interface KnownUpload {
  readonly id: string
  /** The key that `commit` publishes under by default. */
  readonly key: string
  readonly metadata: UploadMetadata
  /** The object as it was committed; `null` before the commit. */
  readonly committed: StoredObject | null
}

/** What is known of an upload that may be resumed, or was committed. */
export interface UploadState extends KnownUpload {
  /** How many bytes are durable. */
  readonly offset: number
  /** Until when it is kept if nothing more comes, in ms since the epoch. */
  readonly expires: number
}

/** Conditions, which are checked and acted on in one step, and the date and the metadata of the object. */
export interface CommitOptions {
  /** Commits only if the key holds nothing. */
  readonly ifNoneMatch?: '*' | undefined
  /** Commits only if the key holds the object with this entity-tag, or with `*` any object. */
  readonly ifMatch?: string | undefined
  /**
   * When the content was last modified, ms since the epoch (now). Keeps the date of an object that is stored again with
   * the same content.
   */
  readonly lastModified?: number | undefined
  /** Stored with the object (the entries of the upload's metadata whose names contain no dot). */
  readonly metadata?: UploadMetadata | undefined
}

export interface SealedUpload {
  /** Length in bytes. */
  readonly size: number
  readonly type: string
  /** sha-256, lower-case hex. */
  readonly digest: string
}

/**
 * An upload that readers cannot see until it is committed. It is receiving or paused in turns, then sealed, then
 * committed, or it is aborted. Pause an upload that waits for its client: only then does it survive the process.
 */
export interface UploadSession {
  /** 22 characters of base64url, 128 random bits. */
  readonly id: string
  /** The key that `commit` publishes under by default. */
  readonly key: string
  /** The number of received bytes. */
  readonly offset: number
  readonly metadata: UploadMetadata
  /**
   * Resolves to the new offset after it has appended the source at `offset`. If the source fails, the bytes before the
   * failure are kept.
   *
   * @param options `verify` checks the bytes before they count
   * @throws StoreError OFFSET_MISMATCH, TOO_LARGE, UNSUPPORTED_TYPE, NO_SPACE; ABORTED, also when another caller resumed
   * the upload; the error of the source
   */
  append(offset: number, source: ByteSource, options?: AppendOptions): Promise<number>
  /**
   * Replaces the metadata: durably if the upload is resumable already, else with the next pause.
   *
   * @throws StoreError NO_SPACE, ABORTED
   */
  setMetadata(metadata: UploadMetadata): Promise<void>
  /**
   * Ends this object's part in the upload, a running `append` included, and resolves to an offset that is durable:
   * `store.resumeUpload(id)` continues there or later, in any process, until the upload expires.
   *
   * @throws StoreError NO_SPACE, and ABORTED when the upload was committed or aborted
   */
  pause(): Promise<number>
  /**
   * Ends the upload: all bytes are durable, size, type and digest are known. May be called again.
   *
   * @throws StoreError UNSUPPORTED_TYPE, DIGEST_MISMATCH, NO_SPACE, ABORTED
   */
  seal(): Promise<SealedUpload>
  /**
   * Opens all bytes of the upload, for example for a virus scan before the commit. Seals the upload first.
   *
   * @throws what `seal` throws; StoreError UNAVAILABLE
   */
  stream(): Promise<Readable>
  /**
   * Makes the object visible under `key` in one atomic step, sealing first where that is still to do. When it has
   * resolved, the object survives a power cut.
   *
   * @param options `key` in place of the session's own
   * @throws StoreError PRECONDITION_FAILED, after which another commit may follow; INVALID_KEY, NO_SPACE, ABORTED
   */
  commit(options?: CommitOptions & { readonly key?: string | undefined }): Promise<StoredObject>
  /** Removes what was staged; does nothing after a commit, a first abort, or a pause: what is paused is not ours any more. */
  abort(): Promise<void>
}
