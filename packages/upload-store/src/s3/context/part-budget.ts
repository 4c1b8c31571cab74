import { releaseBuffer } from '../../values/free-buffers.ts'

/** How long an upload may fill a part while other uploads wait for memory, in ms. */
const PATIENCE = 2000
/** The number of released buffers kept for reuse, because the system has to zero new memory first. */
const MAX_FREE = 4

/** An upload that fills a part. */
export interface Holder {
  /** Writes the bytes of the unfinished part elsewhere, and releases its memory. */
  yield(): void
}

/**
 * The memory of all parts of all uploads of a store. Callers queue when the budget is used up. Then the upload that has been
 * filling its part longest, for example because its client is slow, is asked to flush.
 */
export class PartBudget {
  readonly #total: number
  readonly #usual: number
  #used = 0
  readonly #free: Buffer[] = []
  readonly #waiting: { readonly size: number; readonly start: () => void }[] = []
  /** The uploads that fill a part, and since when; oldest first. */
  readonly #filling = new Map<Holder, number>()
  #watching: NodeJS.Timeout | undefined

  /**
   * @param total the memory for all parts, in bytes
   * @param usual the size of most parts, in bytes
   */
  constructor(total: number, usual: number) {
    this.#total = total
    this.#usual = usual
  }

  async take(size: number, holder: Holder): Promise<Buffer> {
    if (this.#waiting.length > 0 || !this.#fits(size)) {
      this.#watch()
      // `give` counts the memory as used before it calls `start`.
      await new Promise<void>((start) => this.#waiting.push({ size, start }))
    } else this.#used += size
    this.#filling.set(holder, performance.now())
    const usual = size === this.#usual ? this.#free.pop() : undefined
    return usual ?? Buffer.allocUnsafeSlow(size)
  }

  /** Call when the part is full. Its memory is released when it has been sent. */
  filled(holder: Holder): void {
    this.#filling.delete(holder)
  }

  give(memory: Buffer): void {
    this.#used -= memory.length
    if (memory.length === this.#usual) releaseBuffer(this.#free, memory, MAX_FREE)
    for (let [next] = this.#waiting; next !== undefined && this.#fits(next.size); [next] = this.#waiting) {
      this.#waiting.shift()
      this.#used += next.size
      next.start()
    }
  }

  /** A part that is larger than the budget may use all of it alone. */
  #fits(size: number): boolean {
    return this.#used === 0 || this.#used + size <= this.#total
  }

  #watch(): void {
    this.#watching ??= setInterval(() => {
      if (this.#waiting.length === 0) {
        clearInterval(this.#watching)
        this.#watching = undefined
      } else this.#makeRoom()
    }, PATIENCE / 4)
  }

  #makeRoom(): void {
    for (const [holder, since] of [...this.#filling].slice(0, this.#waiting.length)) {
      if (performance.now() - since < PATIENCE) return
      this.#filling.delete(holder)
      holder.yield()
    }
  }
}
