import type { StoreLimits, StoreOptions } from '../contract/store.ts'
import { StoreError } from '../contract/store-error.ts'
import type { StoredObject } from '../contract/stored-object.ts'
import type { Manifest } from '../session/driver.ts'
import { storeLimits } from '../session/store-limits.ts'

export interface HeldObject {
  readonly object: StoredObject
  readonly bytes: Buffer
}

export interface PausedUpload {
  readonly manifest: Manifest
  readonly bytes: Buffer
  readonly since: number
  /** What it became; its bytes are gone then. */
  readonly committed: StoredObject | null
}

/** What a store in memory holds. */
export class Memory {
  /** By their keys. */
  readonly objects: Map<string, HeldObject> = new Map()
  /** By their ids, receipts among them. */
  readonly paused: Map<string, PausedUpload> = new Map()
  readonly limits: StoreLimits
  readonly #maxTotalSize: number

  constructor(options: StoreOptions) {
    const { maxTotalSize = Number.POSITIVE_INFINITY } = options
    this.#maxTotalSize = maxTotalSize
    this.limits = storeLimits(options)
  }

  /** When an upload expires, in ms since the epoch. */
  expiry({ bytes, committed, since }: PausedUpload): number {
    const isEmpty = committed === null && bytes.length === 0
    return since + (isEmpty ? this.limits.expireEmptyAfter : this.limits.expireAfter)
  }

  /** How many uploads may be resumed. */
  get resumable(): number {
    return [...this.paused.values()].filter(({ committed }) => committed === null).length
  }

  /** @throws StoreError NO_SPACE */
  checkSpace(size = 0): void {
    const held = [...this.objects.values(), ...this.paused.values()]
    const stored = held.reduce((sum, { bytes }) => sum + bytes.length, 0)
    if (stored + size > this.#maxTotalSize || stored >= this.#maxTotalSize) {
      throw new StoreError(
        'NO_SPACE',
        `The store holds ${stored} of at most ${this.#maxTotalSize} bytes. Delete objects, or try again later.`,
      )
    }
  }

  /** Removes expired uploads and receipts. */
  expire(): void {
    for (const [id, paused] of this.paused) {
      if (Date.now() >= this.expiry(paused)) this.paused.delete(id)
    }
  }
}
