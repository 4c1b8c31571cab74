import type { Span } from '../client/downloads.ts'
import type { S3Parts } from '../context/context.ts'
import type { Holder } from '../context/part-budget.ts'
import { splitSpans, totalLength } from './pieces.ts'

interface FillingOptions {
  /** The name of an object for bytes from `offset` on. */
  tailName(offset: number): string
  /** Asks for a spill as soon as one can be. */
  spill(): void
}

/** A part's bytes, whose memory goes back when they are used. */
export interface TakenPart {
  /** The objects that its beginning was read from. */
  readonly tails: readonly Span[]
  use<T>(task: (bytes: Uint8Array) => Promise<T>): Promise<T>
}

/**
 * The part that is being filled: at first what lies in objects of its own, from pauses before, then what is in memory. The
 * former is read only when the part is full.
 */
export class Filling {
  readonly #context: S3Parts<'bucket' | 'names' | 'downloads' | 'budget'>
  readonly #options: FillingOptions
  readonly #holder: Holder
  #start: number
  #tails: readonly Span[]
  #memory: Buffer | undefined
  /** Where in the part its memory begins to hold something. */
  #loaded = 0
  /** Where in the part the next byte goes. */
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

  /** The object that holds all there is, and may be a blob; else `null`. */
  whole(): Span | null {
    const [only, other] = this.#tails
    const isAll = only !== undefined && other === undefined && totalLength(this.#tails) === this.#filled
    return isAll && only.start === 0 && only.name.startsWith(this.#context.names.blobs) ? only : null
  }

  /** Copies what fits into a part of `size`, and waits where there is no memory; how many bytes that were. */
  async add(bytes: Uint8Array, size: number): Promise<number> {
    const memory = await this.#open(size)
    const fitting = bytes.subarray(0, size - this.#filled)
    memory.set(fitting, this.#filled)
    this.#filled += fitting.length
    return fitting.length
  }

  /** Writes what is in memory alone into an object, or two where a part of it is held. */
  async spill(hold: number | null): Promise<void> {
    if (hold !== null) await this.#save(hold)
    await this.#save(this.end)
    this.drop()
  }

  /** Takes the first `size` bytes away, to be sent. */
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

  /** Gives all that there is, which is less than a part, and keeps it. */
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

  /** Goes on at `start` with what lies in `tails`, up to the offset `cut`. */
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

  /** Puts what lies in objects in front of what is in memory. */
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

  /** Makes an object of what is in memory alone, up to the offset `limit`. */
  async #save(limit: number): Promise<void> {
    const from = totalLength(this.#tails)
    const to = Math.min(limit - this.#start, this.#filled)
    if (this.#memory === undefined || to <= from) return
    const name = this.#options.tailName(this.#start + from)
    const tag = await this.#context.bucket.put(name, this.#memory.subarray(from, to))
    this.#tails = [...this.#tails, { name, tag, start: 0, end: to - from - 1 }]
  }
}
