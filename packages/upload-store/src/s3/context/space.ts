import { StoreError } from '../../contract/store-error.ts'
import { AnnouncedBytes } from '../../session/announced-bytes.ts'
import type { Bucket } from '../client/bucket.ts'
import { inBatches } from '../client/in-batches.ts'
import { listMultiparts, listParts } from '../client/multipart.ts'
import type { Leftovers } from './leftovers.ts'
import type { Names } from './names.ts'

/** The largest object that S3 accepts, in bytes. */
const MAX_OBJECT_SIZE = 5 * 1024 ** 4
/** How long a count of all stored bytes is used before the next count, in ms. */
const COUNTED_FOR = 60_000

/** Space set aside for one upload of this process. */
export class Reservation {
  readonly id: string
  /** Names of the upload's objects in the bucket that do not begin with its id. */
  readonly names: Set<string> = new Set()
  readonly #space: Space
  /** The number of received bytes. */
  taken: number
  readonly #announced: AnnouncedBytes
  #checked = false

  constructor(space: Space, id: string, taken: number, announced: number) {
    this.#space = space
    this.id = id
    this.taken = taken
    this.#announced = new AnnouncedBytes(announced)
  }

  /** The number of announced bytes for which space is reserved. */
  get reserved(): number {
    return this.#announced.reserved
  }

  /**
   * Call when bytes have arrived. Returns a promise only if the caller has to wait.
   *
   * @throws StoreError NO_SPACE
   */
  take(bytes: number): Promise<void> | undefined {
    const { isReleased } = this.#announced
    const unannounced = this.#announced.arrive(bytes)
    const add = () => {
      this.taken += bytes
    }
    if (this.#space.isEndless || (this.#checked && !isReleased && unannounced === 0)) return void add()
    return this.#space.check(bytes).then(() => {
      this.#checked = true
      add()
    })
  }

  /** Call when no more bytes will arrive. */
  seal(): void {
    this.#announced.clear()
  }

  /** @param kept how many bytes of the upload remain in the bucket, for example after a pause */
  release(kept: number): void {
    this.#space.release(this, kept)
  }
}

/** Decides whether an upload fits below `maxTotalSize`. Without that limit it sends no requests. */
export class Space {
  readonly #bucket: Bucket
  readonly #names: Names
  readonly #leftovers: Leftovers
  readonly #max: number
  readonly #open = new Set<Reservation>()
  /** The stored bytes, without those of open uploads of this process. */
  #stored = 0
  #counted = Number.NEGATIVE_INFINITY
  #counting: Promise<void> | undefined

  constructor(bucket: Bucket, names: Names, leftovers: Leftovers, max: number = Number.POSITIVE_INFINITY) {
    this.#bucket = bucket
    this.#names = names
    this.#leftovers = leftovers
    this.#max = max
  }

  get isEndless(): boolean {
    return this.#max === Number.POSITIVE_INFINITY
  }

  /**
   * @throws StoreError NO_SPACE if `bytes` or any further byte does not fit; TOO_LARGE if S3 accepts no object of this
   * size
   */
  async checkSpace(bytes: number): Promise<void> {
    if (bytes > MAX_OBJECT_SIZE) {
      throw new StoreError(
        'TOO_LARGE',
        `An upload of ${bytes} bytes is too large: S3 accepts objects of at most ${MAX_OBJECT_SIZE} bytes.`,
      )
    }
    await this.check(bytes)
    if (!this.isEndless && this.#held() >= this.#max) throw this.#full()
  }

  /** @throws StoreError NO_SPACE if `bytes` do not fit beside all reserved space */
  async check(bytes: number): Promise<void> {
    if (this.isEndless) return
    if (performance.now() - this.#counted > COUNTED_FOR) await this.#count()
    const expected = [...this.#open].reduce((sum, { reserved }) => sum + reserved, 0)
    if (this.#held() + expected + bytes > this.#max) throw this.#full()
  }

  /**
   * Reserves space without checking it. When two uploads begin at once and check afterwards, each sees the other's
   * reservation.
   */
  reserve(id: string, taken: number, expected: number): Reservation {
    const reservation = new Reservation(this, id, taken, Math.max(0, expected - taken))
    this.#open.add(reservation)
    // The reservation counts these bytes from now on.
    this.#stored -= taken
    return reservation
  }

  release(reservation: Reservation, kept: number): void {
    if (this.#open.delete(reservation)) this.#stored += kept
  }

  /** Adds the size of a new object; a negative size stands for a removed one, whose bytes are deleted later. */
  add(size: number): void {
    this.#stored += size
  }

  #held(): number {
    return [...this.#open].reduce((sum, { taken }) => sum + taken, this.#stored)
  }

  #full(): StoreError {
    return new StoreError(
      'NO_SPACE',
      `The store holds ${this.#held()} of at most ${this.#max} bytes. Delete objects, or try again later.`,
    )
  }

  #count(): Promise<void> {
    this.#counting ??= this.#countAll().finally(() => {
      this.#counting = undefined
    })
    return this.#counting
  }

  async #countAll(): Promise<void> {
    const { blobs, staging } = this.#names
    let stored = 0
    for await (const { name, size } of this.#bucket.list(blobs)) if (!this.#isOurs(name)) stored += size
    for await (const { name, size } of this.#bucket.list(staging)) {
      if (!name.endsWith('.json') && !this.#isOurs(name)) stored += size
    }
    const others = []
    for await (const each of listMultiparts(this.#bucket, blobs))
      if (!this.#isOurs(each.name)) others.push(each)
    const parts = await inBatches(others, (each) => listParts(this.#bucket, each))
    this.#stored = parts.flat().reduce((sum, { size }) => sum + size, stored)
    this.#counted = performance.now()
  }

  /** Whether the object belongs to an upload that is open in this process, or will be removed soon. */
  #isOurs(name: string): boolean {
    if (this.#leftovers.pending.has(name)) return true
    const { staging } = this.#names
    return [...this.#open].some(({ id, names }) => names.has(name) || name.startsWith(`${staging}${id}.`))
  }
}
