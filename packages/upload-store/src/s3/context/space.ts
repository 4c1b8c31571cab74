import { StoreError } from '../../contract/store-error.ts'
import { AnnouncedBytes } from '../../session/announced-bytes.ts'
import type { Bucket } from '../client/bucket.ts'
import { inBatches } from '../client/in-batches.ts'
import { listMultiparts, listParts } from '../client/multipart.ts'
import type { Leftovers } from './leftovers.ts'
import type { Names } from './names.ts'

/** What S3 takes as one object, in bytes. */
const MAX_OBJECT_SIZE = 5 * 1024 ** 4
/** How long a count of all there is is believed, in ms. */
const COUNTED_FOR = 60_000

/** Space set aside for one upload of this process. */
export class Reservation {
  readonly id: string
  /** What it has in the bucket that does not begin with its id. */
  readonly names: Set<string> = new Set()
  readonly #space: Space
  /** Bytes that have arrived. */
  taken: number
  readonly #announced: AnnouncedBytes
  #checked = false

  constructor(space: Space, id: string, taken: number, announced: number) {
    this.#space = space
    this.id = id
    this.taken = taken
    this.#announced = new AnnouncedBytes(announced)
  }

  /** Bytes that are set aside for what the upload has announced. */
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

  /** @param kept how many bytes of it stay, as an upload that is paused */
  release(kept: number): void {
    this.#space.release(this, kept)
  }
}

/** Decides whether there is room below the limit for all objects and uploads; without a limit it asks nobody. */
export class Space {
  readonly #bucket: Bucket
  readonly #names: Names
  readonly #leftovers: Leftovers
  readonly #max: number
  readonly #open = new Set<Reservation>()
  /** Bytes of everything but the open uploads of this process. */
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

  /** @throws StoreError NO_SPACE where nothing fits any more, or not so much; TOO_LARGE for what S3 takes nowhere */
  async checkSpace(bytes: number): Promise<void> {
    if (bytes > MAX_OBJECT_SIZE) {
      throw new StoreError(
        'TOO_LARGE',
        `The upload has ${bytes} bytes; the limit of S3 is ${MAX_OBJECT_SIZE}. Send a smaller file.`,
      )
    }
    await this.check(bytes)
    if (!this.isEndless && this.#held() >= this.#max) throw this.#full()
  }

  /** @throws StoreError NO_SPACE where `bytes` do not fit beside all that is set aside */
  async check(bytes: number): Promise<void> {
    if (this.isEndless) return
    if (performance.now() - this.#counted > COUNTED_FOR) await this.#count()
    const expected = [...this.#open].reduce((sum, { reserved }) => sum + reserved, 0)
    if (this.#held() + expected + bytes > this.#max) throw this.#full()
  }

  /** Sets space aside, whether it is there or not: of two that come at once and check then, each sees the other's. */
  reserve(id: string, taken: number, expected: number): Reservation {
    const reservation = new Reservation(this, id, taken, Math.max(0, expected - taken))
    this.#open.add(reservation)
    // It is counted as ours from now on.
    this.#stored -= taken
    return reservation
  }

  release(reservation: Reservation, kept: number): void {
    if (this.#open.delete(reservation)) this.#stored += kept
  }

  /** Tells of an object that came, or with a negative size one that went: its bytes go later. */
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

  /** Of an upload that is open here, or to be removed soon. */
  #isOurs(name: string): boolean {
    if (this.#leftovers.pending.has(name)) return true
    const { staging } = this.#names
    return [...this.#open].some(({ id, names }) => names.has(name) || name.startsWith(`${staging}${id}.`))
  }
}
