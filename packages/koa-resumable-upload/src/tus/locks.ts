import type { UploadStore } from 'upload-store'
import { missingHooks } from '../errors.ts'
import { retryAsNewest } from '../http/retry-as-newest.ts'
import { isUploadId } from '../http/upload-id.ts'
import type { Incoming } from './incoming.ts'

/** A request that has the use of an upload. */
export interface Lock {
  readonly request: Incoming
  /** The id of the upload that it has begun. */
  readonly created: string | undefined
  /** A newer request waits for the upload. */
  readonly isCancelled: boolean
}

interface HeldLock extends Lock {
  created: string | undefined
  isCancelled: boolean
  readonly released: Promise<void>
  readonly release: () => void
}

/**
 * Which request uses which upload, one at a time in this process, so that what a request says is never taken for what
 * another one does. A newer one ends the one that is under way; in other processes the store does.
 */
export class Locks {
  readonly #store: UploadStore
  readonly #locks = new Map<string, HeldLock>()

  constructor(store: UploadStore) {
    this.#store = store
  }

  /** Resolves to the lock once no other request uses the upload. */
  async acquire(id: string, request: Incoming): Promise<Lock> {
    for (let lock = this.#locks.get(id); lock !== undefined; lock = this.#locks.get(id)) {
      lock.isCancelled = true
      if (isUploadId(id)) await retryAsNewest(() => this.#store.interruptUpload(id))
      await lock.released
    }
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const lock = { request, created: undefined, isCancelled: false, released, release }
    this.#locks.set(id, lock)
    return lock
  }

  /** @throws Error where the hook that takes locks was left out: checksums would go unchecked */
  of(id: string): HeldLock {
    const lock = this.#locks.get(id)
    if (lock === undefined) {
      throw missingHooks()
    }
    return lock
  }

  /** The upload that was asked for under `id` has got its own. */
  created(id: string, own: string): void {
    const lock = this.of(id)
    lock.created = own
    this.#locks.set(own, lock)
  }

  release(id: string): void {
    const lock = this.#locks.get(id)
    this.#locks.delete(id)
    if (lock?.created !== undefined) this.#locks.delete(lock.created)
    lock?.release()
  }
}
