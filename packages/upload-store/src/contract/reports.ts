/** An entry of the store that cannot be used: damaged, unreadable, or not written by the store. */
export interface DamagedEntry {
  /** Its path relative to the store's directory; on S3 its name in the bucket. */
  readonly entry: string
  /** Why it cannot be used, in one sentence. */
  readonly reason: string
}

/** What `recover` found among the upload sessions of earlier processes. */
export interface RecoverReport {
  /** Sessions that can be resumed. */
  readonly paused: number
  /** Removed remains that could not be resumed. */
  readonly discarded: number
  /** Sessions of processes that live, or that cannot be known to be gone; left alone. */
  readonly busy: number
}

/** The things that `sweep` removed, except expired receipts, and the sessions that it left. */
export interface SweepReport extends RecoverReport {
  /** Removed paused sessions, which no client resumed in time. */
  readonly expired: number
  /** Blobs that no record names, removed. */
  readonly blobs: number
  /** Their bytes, as far as no other blob shares them. */
  readonly bytes: number
  /** Digest links without a blob, removed. */
  readonly digests: number
  /** Records that cannot be read. A blob that one of them may name is not removed. */
  readonly damaged: number
}

/** What `verify` read and changed. */
export interface VerifyReport {
  /** Objects whose bytes equal the committed ones. */
  readonly intact: number
  /** Bytes read; equal contents that share theirs are read once. */
  readonly bytes: number
  /** Objects that were damaged and have their bytes again, from another copy in the store. */
  readonly repaired: readonly Repaired[]
  readonly quarantined: readonly Quarantined[]
  /** The number of files in `quarantine/` before this run. They wait for an operator. */
  readonly inQuarantine: number
  /** Entries that the store has not written, relative to its directory; on S3 names in the bucket. They stay. */
  readonly foreign: readonly string[]
}

export interface Repaired {
  readonly key: string
  /** What was wrong, in one sentence. */
  readonly reason: string
}

export interface Quarantined {
  /** `null` if its record cannot be read either. */
  readonly key: string | null
  /** What is wrong, in one sentence. */
  readonly reason: string
  /** Where its remains are now, relative to the store's directory. */
  readonly files: readonly string[]
}
