import type { Outlet } from './outlet.ts'

/** Enough for a few seconds of a busy server; a stalled reader costs the process this much memory, and no more. */
const CAPACITY = 1024 ** 2
/** How long `writeLater` collects lines, in ms. A kill of the process loses at most these. */
const DELAY = 200
/** Bytes after which `writeLater` stops collecting: a busy server would otherwise fill most of the capacity. */
const BULK = 64 * 1024
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
  /** Milliseconds for which `writeLater` collects lines (200). */
  readonly delay?: number
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
  readonly #delay: number
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
  /** Ends the collecting of lines. */
  #timer: NodeJS.Timeout | undefined

  constructor(
    outlet: Outlet,
    { notice, capacity = CAPACITY, patience = PATIENCE, delay = DELAY }: SinkOptions,
  ) {
    this.#outlet = outlet
    this.#notice = notice
    this.#capacity = capacity
    this.#patience = patience
    this.#delay = delay
  }

  /** The number of lines dropped so far. */
  get dropped(): number {
    return this.#dropped
  }

  /** Writes a line, after all lines before it. */
  write(line: string): void {
    this.#add(line)
    this.#start()
  }

  /** Writes a line soon, with those that are added until then: a write takes longer than a short request. */
  writeLater(line: string): void {
    this.#add(line)
    if (this.#waiting >= BULK || this.#unreported > 0) this.#start()
    else this.#timer ??= setTimeout(() => this.#start(), this.#delay).unref()
  }

  #add(line: string): void {
    const size = Buffer.byteLength(line)
    // Once lines are missing, no later one is accepted before their number is reported in their place.
    if (this.#unreported > 0 || this.#waiting + size > this.#capacity) {
      this.#dropped++
      this.#unreported++
    } else {
      this.#append(line, size)
    }
  }

  #start(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#running ??= this.#run()
  }

  /** Resolves when all lines are written, at the latest after the sink's patience. */
  async flush(): Promise<void> {
    this.#start()
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

  #append(line: string, size: number): void {
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
      const line = this.#notice(this.#unreported)
      this.#append(line, Buffer.byteLength(line))
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

/** pino's number of the level `warn`. */
const WARN = 40

/**
 * Returns a stream for pino that writes warnings and errors at once, and all other lines later.
 *
 * @param format `null`: the lines as pino writes them
 */
export function logStream(sink: BoundedSink, format: ((line: string) => string) | null): LogStream {
  const stream: LogStream = {
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0,
    write: (line) => {
      const formatted = format === null ? line : format(line)
      if (stream.lastLevel >= WARN) sink.write(formatted)
      else sink.writeLater(formatted)
    },
  }
  return stream
}

interface LogStream {
  /** Has pino set `lastLevel` before each line. */
  readonly [metadata: symbol]: true
  lastLevel: number
  write(line: string): void
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN'
}
