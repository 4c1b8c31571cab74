import type { Outlet } from './outlet.ts'

/** Enough for a few seconds of a busy server; a stalled reader costs the process this much memory, and no more. */
const CAPACITY = 1024 ** 2
/** A reader that is merely slow makes room within a millisecond. */
const FIRST_RETRY = 1
const LAST_RETRY = 500
/** How long the end of the process waits for a reader, in ms. */
const PATIENCE = 500
const POLL = 5

export interface SinkOptions {
  /** The line that reports `count` dropped lines, written as soon as the outlet accepts bytes again. */
  readonly notice: (count: number) => string
  /** Bytes that wait at most. */
  readonly capacity?: number
  /** Milliseconds that `flush` and `flushSync` wait at most. */
  readonly patience?: number
}

interface Block {
  text: string
  size: number
}

/**
 * Writes lines to an outlet without ever blocking or throwing. While the outlet accepts nothing, lines wait up to a bound;
 * further lines are dropped and counted until those that waited are written.
 */
export class BoundedSink {
  readonly #outlet: Outlet
  readonly #notice: (count: number) => string
  readonly #capacity: number
  readonly #patience: number
  /** Whole lines, joined up to the size of one write: other processes write to the same pipe. */
  readonly #blocks: Block[] = []
  /** The rest of the block that is being written. */
  #current: Uint8Array = new Uint8Array()
  #waiting = 0
  #dropped = 0
  #unreported = 0
  #isWriting = false
  #running: Promise<void> | undefined
  #retryDelay = FIRST_RETRY
  #retryNow: () => void = () => {}
  #hasGivenUp = false

  constructor(outlet: Outlet, { notice, capacity = CAPACITY, patience = PATIENCE }: SinkOptions) {
    this.#outlet = outlet
    this.#notice = notice
    this.#capacity = capacity
    this.#patience = patience
  }

  /** The number of lines dropped so far. */
  get dropped(): number {
    return this.#dropped
  }

  write(line: string): void {
    // Once lines are missing, no later one is accepted before their number is reported in their place.
    if (this.#unreported > 0 || this.#waiting + Buffer.byteLength(line) > this.#capacity) {
      this.#dropped++
      this.#unreported++
    } else {
      this.#append(line)
    }
    this.#running ??= this.#run()
  }

  /** Resolves when all lines are written, at the latest after the sink's patience. */
  async flush(): Promise<void> {
    if (this.#running === undefined) return
    this.#retryDelay = FIRST_RETRY
    this.#retryNow()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#hasGivenUp = true
        resolve()
      }, this.#patience)
    })
    await Promise.race([this.#running, late])
    clearTimeout(timer)
  }

  /** For the end of the process: writes what it can, waiting only for a reader that may be slow. */
  flushSync(): void {
    const deadline = performance.now() + (this.#hasGivenUp ? 0 : this.#patience)
    // A thread has it, and the process waits for its threads.
    if (this.#isWriting) this.#current = new Uint8Array()
    while (this.#take()) {
      try {
        this.#accept(this.#outlet.writeSync(this.#current))
      } catch (error) {
        if (!isFull(error) || performance.now() >= deadline) return
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL)
      }
    }
  }

  #append(line: string): void {
    const size = Buffer.byteLength(line)
    const last = this.#blocks.at(-1)
    this.#waiting += size
    if (last === undefined || last.size + size > this.#outlet.blockSize) {
      this.#blocks.push({ text: line, size })
    } else {
      last.text += line
      last.size += size
    }
  }

  /** Writes until nothing waits. Lines of one turn of the event loop share a write. */
  async #run(): Promise<void> {
    await new Promise(setImmediate)
    while (this.#take()) {
      const written = await this.#tryToWrite()
      this.#accept(written)
      if (written === 0) await this.#pause()
    }
    this.#running = undefined
  }

  /** Makes sure that there is something to write; returns false if nothing is left. */
  #take(): boolean {
    if (this.#current.length > 0) return true
    if (this.#blocks.length === 0 && this.#unreported > 0) {
      this.#append(this.#notice(this.#unreported))
      this.#unreported = 0
    }
    const block = this.#blocks.shift()
    if (block === undefined) return false
    this.#current = Buffer.from(block.text)
    return true
  }

  #accept(written: number): void {
    this.#current = this.#current.subarray(written)
    this.#waiting -= written
    if (written > 0) this.#retryDelay = FIRST_RETRY
  }

  /** Any failure may pass: a full disk gets room, a FIFO gets another reader. */
  async #tryToWrite(): Promise<number> {
    this.#isWriting = true
    try {
      return await this.#outlet.write(this.#current)
    } catch {
      return 0
    } finally {
      this.#isWriting = false
    }
  }

  #pause(): Promise<void> {
    const delay = this.#retryDelay
    this.#retryDelay = Math.min(delay * 2, LAST_RETRY)
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delay).unref()
      this.#retryNow = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN'
}
