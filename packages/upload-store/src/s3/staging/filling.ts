import type { Span } from '../client/downloads.ts'
import type { S3Parts } from '../context/context.ts'
import type { Holder } from '../context/part-budget.ts'
import { splitSpans, totalLength } from './pieces.ts'

interface FillingOptions {
  /** Returns the name of an object for bytes from `offset` on. */
  tailName(offset: number): string
  /** Requests a spill, which starts when the running operation has ended. */
  spill(): void
}

/** A part's bytes. Their memory is released after `use`. */
export interface TakenPart {
  /** The tails that the part begins with. */
  readonly tails: readonly Span[]
  use<T>(task: (bytes: Uint8Array) => Promise<T>): Promise<T>
}

/**
 * The part that is being filled: first the tails that earlier pauses have stored, then the bytes in memory. The tails
 * are read only when the part is full.
 */
export class Filling {
  readonly #context: S3Parts<'bucket' | 'names' | 'downloads' | 'budget'>
  readonly #options: FillingOptions
  readonly #holder: Holder
  #start: number
  #tails: readonly Span[]
  #memory: Buffer | undefined
  /** The position in the part from which its memory contains bytes. */
  #loaded = 0
  /** The position in the part of the next byte. */
  #filled: number

  constructor(
    context: S3Parts<'bucket' | 'names' | 'downloads' | 'budget'>,
    options: FillingOptions,
    start: number,
    tails: readonly Span[],
  ) {
    this.#context = context
    this.#options = options
    this.#holder = { yield: () => options.spill() }
    this.#start = start
    this.#tails = tails
    this.#filled = totalLength(tails)
  }

  get tails(): readonly Span[] {
    return this.#tails
  }

  get end(): number {
    return this.#start + this.#filled
  }

  isFull(size: number): boolean {
    return this.#filled >= size
  }

  /** Returns the object that holds all bytes and may be a blob; otherwise `null`. */
  whole(): Span | null {
    const [only, other] = this.#tails
    const isAll = only !== undefined && other === undefined && totalLength(this.#tails) === this.#filled
    return isAll && only.start === 0 && only.name.startsWith(this.#context.names.blobs) ? only : null
  }

  /**
   * Copies the bytes that fit into a part of `size`, and returns their number. Waits if there is no memory for the
   * part.
   */
  async add(bytes: Uint8Array, size: number): Promise<number> {
    const memory = await this.#open(size)
    const fitting = bytes.subarray(0, size - this.#filled)
    memory.set(fitting, this.#filled)
    this.#filled += fitting.length
    return fitting.length
  }

  /** Stores the bytes that are only in memory as an object, or as two if some of them are held. */
  async spill(hold: number | null): Promise<void> {
    if (hold !== null) await this.#save(hold)
    await this.#save(this.end)
    this.drop()
  }

  /** Removes the first `size` bytes and returns them as a part to send. */
  async take(size: number, hold: number | null): Promise<TakenPart> {
    const memory = await this.#open(size)
    if (hold !== null) await this.#save(hold)
    const [tails, rest] = splitSpans(this.#tails, size)
    await this.#load(memory, size)
    this.#context.budget.filled(this.#holder)
    this.#memory = undefined
    this.#start += size
    this.#filled -= size
    this.#tails = rest
    return {
      tails,
      use: (task) => task(memory.subarray(0, size)).finally(() => this.#context.budget.give(memory)),
    }
  }

  /** Calls `task` with all bytes, which are less than a part, and keeps them. */
  async all<T>(task: (bytes: Uint8Array) => Promise<T>): Promise<T> {
    if (this.#filled === 0) return task(new Uint8Array())
    const memory = await this.#open(this.#filled)
    await this.#load(memory, this.#filled)
    return task(memory.subarray(0, this.#filled))
  }

  cutTo(offset: number): void {
    this.#filled = offset - this.#start
    this.#tails = splitSpans(this.#tails, this.#filled)[0]
  }

  /** Restarts at `start` with the bytes of `tails`, up to the offset `cut`. */
  restart(start: number, tails: readonly Span[], cut: number = start + totalLength(tails)): void {
    this.drop()
    this.#start = start
    this.#filled = cut - start
    this.#tails = splitSpans(tails, this.#filled)[0]
  }

  drop(): void {
    const { budget } = this.#context
    budget.filled(this.#holder)
    if (this.#memory !== undefined) budget.give(this.#memory)
    this.#memory = undefined
  }

  async #open(size: number): Promise<Buffer> {
    if (this.#memory === undefined) {
      this.#memory = await this.#context.budget.take(size, this.#holder)
      this.#loaded = Math.min(this.#filled, size)
    }
    return this.#memory
  }

  /** Reads the tails into memory, before the bytes that are already there. */
  async #load(memory: Buffer, size: number): Promise<void> {
    let at = 0
    for (const span of splitSpans(this.#tails, Math.min(this.#loaded, size))[0]) {
      for await (const chunk of await this.#context.downloads.open(span)) {
        memory.set(chunk, at)
        at += chunk.length
      }
    }
    this.#loaded = 0
  }

  /** Stores the bytes that are only in memory as a tail, up to the offset `limit`. */
  async #save(limit: number): Promise<void> {
    const from = totalLength(this.#tails)
    const to = Math.min(limit - this.#start, this.#filled)
    if (this.#memory === undefined || to <= from) return
    const name = this.#options.tailName(this.#start + from)
    const tag = await this.#context.bucket.put(name, this.#memory.subarray(from, to))
    this.#tails = [...this.#tails, { name, tag, start: 0, end: to - from - 1 }]
  }
}
