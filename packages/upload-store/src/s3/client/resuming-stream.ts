import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { unavailable } from './errors.ts'

/** The longest pause before a broken connection is replaced, in ms. */
const PAUSE = 100

/** What a socket gives at a time: with Node 20's 16 KiB the source would be stopped at each. */
const AHEAD = 65_536

/** Bytes that a server may read before it answers, so that a failure becomes a status. They have the time of an answer. */
const BEGINNING = 65_536

/** The shortest time after which a source is looked at, in ms. */
const SHORTEST_WATCH = 10

export interface ResumingOptions {
  readonly start: number
  readonly end: number
  /** Opens the bytes from another start on, and retries until `deadline`. */
  from(start: number, deadline: number, signal: AbortSignal): Promise<IncomingMessage>
  /** When the first request began, on the clock of `performance.now()`. */
  readonly began: number
  /** Time for the beginning, which the opening is part of, in ms. */
  readonly timeout: number
  /** Time without a byte after the beginning, while a reader waits, in ms. */
  readonly transferTimeout: number
}

/**
 * A body that continues from the byte that it has reached if its connection breaks, and ends only when it is complete.
 * Only the time in which a reader waits counts: a slow reader is no fault of the store's.
 */
export class ResumingStream extends Readable {
  readonly #options: ResumingOptions
  #source: IncomingMessage | undefined
  #at: number
  #wanted = true
  #opening: AbortController | undefined
  #watching: NodeJS.Timeout | undefined
  /** How long a reader has waited up to `#since`, in ms: for the beginning, and since the last byte. */
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
    // Read to its end it is free for the next request; else the connection is closed.
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
      // Its end has still to be read.
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

  /** How long the reader may still wait, in ms. Call `#count` before. */
  get #left(): number {
    const { start, timeout, transferTimeout } = this.#options
    return this.#at < start + BEGINNING ? timeout - this.#spent : transferTimeout - this.#idle
  }

  /** Replaces a source that has sent nothing for half of the time that is left. */
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
    // A slow reader may never want the rest.
    if (this.#wanted) void this.#reopen()
  }

  async #reopen(): Promise<void> {
    if (this.#opening !== undefined) return
    this.#opening = new AbortController()
    const { signal } = this.#opening
    try {
      // One connection after the other may break at once.
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
