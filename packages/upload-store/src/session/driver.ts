import type { StoredObject } from '../contract/stored-object.ts'
import type { CommitOptions, KnownUpload, UploadMetadata, UploadState } from '../contract/upload-session.ts'
import type { RunningHash, SavedIntake } from './intake.ts'

/** What an upload session has to remember besides its bytes. */
export interface Manifest {
  readonly key: string
  /** The declared media type. */
  readonly type: string | undefined
  /** The sha-256 that the content must have, lower-case hex. */
  readonly digest: string | undefined
  /** How many bytes will come in all, at the most; 0 where nobody knows. */
  readonly expectedSize: number
  /** None where only a pause makes the upload resumable, and nothing is left of it after its commit. */
  readonly metadata: UploadMetadata | undefined
}

/** What a driver does for a session: where its bytes go, and how they become an object. */
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
  /**
   * Makes the first `offset` bytes durable and what it takes to resume them, cuts off all others, and lets go of the
   * upload. Where that fails, an upload that others know of is let go all the same.
   */
  pause(offset: number): Promise<void>
  /** Keeps `metadata` with the upload, durably where others know of it. */
  setMetadata(metadata: UploadMetadata): Promise<void>
  /**
   * Makes the object visible in one step if `conditions` hold, and durable. Where only the latter fails it throws with the
   * object visible; called again for the same key it does the rest. With `metadata` a receipt is left.
   */
  publish(object: StoredObject, conditions: CommitOptions): Promise<void>
  /** Removes everything that no visible object needs; not called after a successful `publish`. */
  discard(): Promise<void>
  /** Calls `listener` when another process wants to resume the upload, again and again until it is let go. */
  onTakeover(listener: () => void): void
  /** Calls `listener` with each offset that became durable while more was written, of an upload that others know of. */
  onDurable(listener: (offset: number) => void): void
  /** Told after each block, of an upload whose hash can be saved, what it takes to go on behind it. */
  hashed?(saved: SavedIntake): void
  /** Bytes behind `offset` may be taken back, by a pause there, until it is called with `null`. */
  hold?(offset: number | null): void
}

/** An upload that was taken over, and what is known of it. */
export interface Resumed {
  readonly staging: Staging
  readonly manifest: Manifest
  /** How many bytes are there. */
  readonly size: number
  /** Reads those from `start` on. */
  bytes(start: number): AsyncIterable<Uint8Array>
  /** What was kept of counting and hashing, where the bytes need not be read. */
  readonly intake?: SavedIntake | undefined
}

/** Where a store keeps its upload sessions. */
export interface StagingArea {
  /** The hash, going on from `state`, for uploads that are known to others; none where their bytes can be read again. */
  savableHash?(state?: Uint8Array): Promise<RunningHash>
  /** @throws StoreError NO_SPACE */
  create(id: string, manifest: Manifest): Promise<Staging>
  /** Ends the upload's writer in another process and takes its place; `null` where there is no such upload. */
  resume(id: string): Promise<Resumed | null>
  /** The same, but lets go of it at once; finds receipts as well. */
  interrupt(id: string): Promise<UploadState | null>
  /** Ids of the uploads that others know of; receipts may be among them. */
  list(): Promise<readonly string[]>
  /** What it was created for and what it became; ends nobody. */
  get(id: string): Promise<KnownUpload | null>
  /** Ends the upload's writer in another process and removes what there is of it; whether there was anything. */
  delete(id: string): Promise<boolean>
}
