import type { Readable } from 'node:stream'
import type { StoredObject, UploadMetadata } from '../contract/stored-object.ts'
import type { CommitOptions, KnownUpload, UploadState } from '../contract/upload-session.ts'
import type { RunningHash, SavedIntake } from './intake/intake.ts'

/** The properties of an upload that are stored with its bytes. */
export interface Manifest {
  readonly key: string
  /** The declared media type. */
  readonly type: string | undefined
  /** The sha-256 that the content must have, lower-case hex. */
  readonly digest: string | undefined
  /** The total size that the client announced, in bytes; 0 if it announced none. The upload may be shorter. */
  readonly expectedSize: number
  /** `undefined` if the upload becomes resumable only by a pause, and leaves no receipt after its commit. */
  readonly metadata: UploadMetadata | undefined
  /** Whether the upload becomes a part of another one, so that its own type and digest mean nothing. */
  readonly isPart?: boolean | undefined
}

/** Stores the bytes of one session, and publishes them as an object. */
export interface Staging {
  /**
   * Accounts for bytes that have arrived, long before a whole block of them is written. Returns a promise only if the
   * caller has to wait; throws NO_SPACE.
   */
  arrived?(bytes: number): Promise<void> | undefined
  /** Writes all of `bytes` at `position`. */
  write(bytes: Uint8Array, position: number): Promise<void>
  /** Makes every byte durable; nothing is written after it. */
  seal(): Promise<void>
  /** Opens all bytes after `seal`; `size` is their number. */
  stream(size: number): Promise<Readable>
  /**
   * Makes the first `offset` bytes durable with everything needed to resume them, removes all later bytes, and releases
   * the upload. If this fails, an upload that other processes can find is released all the same, so that they can
   * resume it.
   */
  pause(offset: number): Promise<void>
  /** Replaces the properties of the upload, durably if other processes can find the upload. */
  setManifest(manifest: Manifest): Promise<void>
  /**
   * Makes the object visible in one atomic step if `conditions` hold, and makes it durable. If only the latter fails,
   * it throws although the object is visible; a second call for the same key does the rest. An upload with `metadata`
   * leaves a receipt.
   */
  publish(object: StoredObject, conditions: CommitOptions): Promise<void>
  /** Removes everything that no visible object needs; not called after a successful `publish`. */
  discard(): Promise<void>
  /** Calls `listener` when another process wants to resume the upload, repeatedly until the upload is released. */
  onTakeover(listener: () => void): void
  /** Calls `listener` with each offset that becomes durable during writes, if other processes can find the upload. */
  onDurable(listener: (offset: number) => void): void
  /** Called after each block with the state needed to continue after it, if the upload's hash can be saved. */
  hashed?(saved: SavedIntake): void
  /** Announces that a pause may discard the bytes after `offset`, until a call with `null`. */
  hold?(offset: number | null): void
}

/** An upload that this process has taken over. */
export interface Resumed {
  readonly staging: Staging
  readonly manifest: Manifest
  /** The number of bytes kept. */
  readonly size: number
  /** Reads the kept bytes from `start` on. */
  bytes(start: number): AsyncIterable<Uint8Array>
  /** The saved state of counting and hashing, if it makes reading the bytes unnecessary. */
  readonly intake?: SavedIntake | undefined
}

/** A file on a disk that a driver can reach. */
export interface SourceFile {
  readonly path: string
  /** `link`: the file and the object share their bytes, so the file must not be written to any more. */
  readonly by: 'copy' | 'link'
  /** Called with all bytes in their order. Returns a promise only if the caller has to wait. */
  accept(bytes: Uint8Array): Promise<unknown> | undefined
}

/** The uploads of one store. */
export interface StagingArea {
  /**
   * Returns a hash that continues from `state`, for uploads that other processes can find. `undefined` if the driver
   * can read the bytes again instead.
   */
  savableHash?(state?: Uint8Array): Promise<RunningHash>
  /** @throws StoreError NO_SPACE */
  create(id: string, manifest: Manifest): Promise<Staging>
  /** Creates an upload that has the bytes of a file already. */
  createFromFile?(id: string, manifest: Manifest, file: SourceFile): Promise<Staging>
  /**
   * Resumes the upload, and stops any writer in another process first. Resolves to `null` if there is no such upload.
   */
  resume(id: string): Promise<Resumed | null>
  /** Stops any writer and returns the upload's state without keeping the upload open. Finds receipts as well. */
  interrupt(id: string): Promise<UploadState | null>
  /** The ids of the uploads that other processes can find; may contain ids of receipts. */
  list(): Promise<readonly string[]>
  /** Returns the upload's properties and the object that it became. Interrupts no writer. */
  get(id: string): Promise<KnownUpload | null>
  /** Stops any writer in another process and removes the upload. Resolves to whether the upload existed. */
  delete(id: string): Promise<boolean>
  /**
   * Stops any writer in another process and replaces the upload by a receipt like that of `whole`. Resolves to whether `id`
   * has a receipt.
   */
  leaveReceipt(id: string, whole: string): Promise<boolean>
  /** Releases what is kept of uploads that are not open. */
  close?(): Promise<void>
}
