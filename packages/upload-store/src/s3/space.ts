import { StoreError } from '../store-error.ts'
import type { Bucket } from './bucket.ts'
import type { Names } from './names.ts'

/** What S3 takes as one object, in bytes. */
const MAX_OBJECT_SIZE = 5 * 1024 ** 4
/** How long a count of all blobs is believed, in ms: 1 request for 1000 of them. */
const COUNTED_FOR = 60_000

/** Decides whether there is room below the limit for all objects; without a limit it asks nobody. */
export class Space {
  readonly #bucket: Bucket
  readonly #names: Names
  readonly #max: number
  #stored = 0
  #counted = Number.NEGATIVE_INFINITY
  #counting: Promise<void> | undefined
  /** Bytes that uploads of this process expect. */
  #reserved = 0

  constructor(bucket: Bucket, names: Names, max: number = Number.POSITIVE_INFINITY) {
    this.#bucket = bucket
    this.#names = names
    this.#max = max
  }

  /** @throws StoreError NO_SPACE, TOO_LARGE */
  async admit(size: number): Promise<void> {
    if (size > MAX_OBJECT_SIZE) {
      throw new StoreError('TOO_LARGE', `S3 takes objects of ${MAX_OBJECT_SIZE} bytes at the most.`)
    }
    if (this.#max === Number.POSITIVE_INFINITY) return
    if (performance.now() - this.#counted > COUNTED_FOR) await this.#count()
    const total = this.#stored + this.#reserved + size
    if (total <= this.#max && this.#stored < this.#max) return
    throw new StoreError('NO_SPACE', `The store holds ${this.#stored} of at most ${this.#max} bytes.`)
  }

  /** Sets space aside; the answer gives it back. */
  reserve(size: number): () => void {
    let left = size
    this.#reserved += left
    return () => {
      this.#reserved -= left
      left = 0
    }
  }

  /** Tells of an object that came, or with a negative size one that went: its bytes go later. */
  add(size: number): void {
    this.#stored += size
  }

  #count(): Promise<void> {
    this.#counting ??= this.#countAll().finally(() => {
      this.#counting = undefined
    })
    return this.#counting
  }

  async #countAll(): Promise<void> {
    let stored = 0
    for await (const { size } of this.#bucket.list(this.#names.blobs)) stored += size
    this.#stored = stored
    this.#counted = performance.now()
  }
}
