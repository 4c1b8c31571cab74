import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { unavailable } from './errors.ts'

/** The longest pause before a broken connection is replaced, in ms. */
const PAUSE = 100

/** The size of a socket's chunks. With Node 20's default of 16 KiB, each chunk would pause the source. */
const AHEAD = 65_536

/**
 * The first bytes of a body, which a server may read before it answers so that a failure becomes a status. The time
 * limit of a response applies to them.
 */
const BEGINNING = 65_536

/** The shortest interval between checks of a source, in ms. */
const SHORTEST_WATCH = 10

export interface ResumingOptions {
  readonly start: number
  readonly end: number
  /** Opens the bytes from `start` on, and retries until `deadline`. */
  from(start: number, deadline: number, signal: AbortSignal): Promise<IncomingMessage>
  /** When the first request began, on the clock of `performance.now()`. */
  readonly began: number
  /** The time limit for opening the body and receiving its first bytes, in ms. */
  readonly timeout: number
  /** The longest time without a byte after that, while a reader waits, in ms. */
  readonly transferTimeout: number
}

/**
 * A body that continues from the byte that it has reached if its connection breaks, and ends only when it is complete.
 * Only the time in which a reader waits counts, because a slow reader is not a fault of S3.
 */
export class ResumingStream extends Readable {
  readonly #options: ResumingOptions
  #source: IncomingMessage | undefined
  #at: number
  #wanted = true
  #opening: AbortController | undefined
  #watching: NodeJS.Timeout | undefined
  /** How long a reader has waited up to `#since`, in ms: in total for the first bytes, and since the last byte. */
  #spent: number
  #idle = 0
  #since = performance.now()

  constructor(first: IncomingMessage, options: ResumingOptions) {
    super({ highWaterMark: AHEAD })
    this.#options = options
    this.#at = options.start
    this.#spent = this.#since - options.began
    this.#attach(first)
  }

  override _read(): void {
    if (!this.#wanted) {
      this.#wanted = true
      this.#since = performance.now()
    }
    this.#watch()
    if (this.#source === undefined) void this.#reopen()
    else this.#source.resume()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    clearTimeout(this.#watching)
    this.#opening?.abort()
    const source = this.#source
    this.#source = undefined
    // A response that was read to its end leaves its connection to the next request; otherwise the connection is
    // closed.
    if (source?.complete !== true) source?.destroy()
    callback(error)
  }

  #attach(source: IncomingMessage): void {
    this.#source = source
    source.on('data', (chunk: Buffer) => this.#take(source, chunk))
    source.on('error', () => {})
    source.on('close', () => this.#lost(source))
    if (!this.#wanted) source.pause()
  }

  #take(source: IncomingMessage, chunk: Buffer): void {
    this.#count()
    this.#idle = 0
    this.#at += chunk.length
    this.#wanted = this.push(chunk)
    if (!this.#wanted) source.pause()
    if (this.#at > this.#options.end) {
      // Reads the end of the response, so that its connection can be reused.
      source.resume()
      this.push(null)
    }
  }

  #count(): void {
    const now = performance.now()
    this.#spent += now - this.#since
    this.#idle += now - this.#since
    this.#since = now
  }

  /** The time that the reader may still wait, in ms. Call `#count` before. */
  get #left(): number {
    const { start, timeout, transferTimeout } = this.#options
    return this.#at < start + BEGINNING ? timeout - this.#spent : transferTimeout - this.#idle
  }

  /** Replaces a source that has sent no byte for half of the remaining time. */
  #watch(): void {
    if (this.#watching !== undefined) return
    this.#count()
    const limit = Math.max(this.#left / 2, SHORTEST_WATCH)
    this.#watching = setTimeout(() => {
      this.#watching = undefined
      if (!this.#wanted || this.#at > this.#options.end) return
      this.#count()
      if (this.#left <= 0) this.destroy(tooLate())
      else if (this.#idle >= limit) this.#source?.destroy()
      else this.#watch()
    }, limit)
  }

  #lost(source: IncomingMessage): void {
    if (source !== this.#source || this.#at > this.#options.end) return
    this.#source = undefined
    // Reopened only if a reader waits, because a slow reader may never read the rest.
    if (this.#wanted) void this.#reopen()
  }

  async #reopen(): Promise<void> {
    if (this.#opening !== undefined) return
    this.#opening = new AbortController()
    const { signal } = this.#opening
    try {
      // A random pause, because replacements may break immediately, too.
      await sleep(Math.random() * PAUSE, undefined, { signal })
      this.#count()
      if (this.#left <= 0) throw tooLate()
      const source = await this.#options.from(this.#at, performance.now() + this.#left, signal)
      if (this.destroyed) source.destroy()
      else {
        this.#attach(source)
        if (this.#wanted) this.#watch()
      }
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)))
    } finally {
      this.#opening = undefined
    }
  }
}

function tooLate(): Error {
  return unavailable(new Error('S3 has sent no byte in time.'))
}
