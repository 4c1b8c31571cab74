import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { unavailable } from './errors.ts'

const PAUSE = 100

/** What a socket gives at a time: with Node 20's 16 KiB the source would be stopped at each. */
const AHEAD = 65_536

export interface ResumingOptions {
  readonly start: number
  readonly end: number
  /** Opens the same bytes from another start on; tries for as long as is worth it. */
  from(start: number): Promise<IncomingMessage>
  /** ms without a byte, while somebody waits for one, after which the stream fails. */
  readonly timeout: number
}

/** A body that goes on from the byte it has reached when its connection breaks, and ends only when it is complete. */
export class ResumingStream extends Readable {
  readonly #options: ResumingOptions
  #source: IncomingMessage | undefined
  #at: number
  #wanted = true
  #opening = false
  #stalled: NodeJS.Timeout | undefined
  /** When the last byte came, or the wait for it began. */
  #since = performance.now()

  constructor(first: IncomingMessage, options: ResumingOptions) {
    super({ highWaterMark: AHEAD })
    this.#options = options
    this.#at = options.start
    this.#attach(first)
  }

  override _read(): void {
    this.#wanted = true
    this.#since = performance.now()
    this.#watch()
    if (this.#source === undefined) void this.#reopen()
    else this.#source.resume()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    clearTimeout(this.#stalled)
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
    this.#at += chunk.length
    this.#since = performance.now()
    this.#wanted = this.push(chunk)
    if (!this.#wanted) source.pause()
    if (this.#at > this.#options.end) {
      // Its end has still to be read.
      source.resume()
      this.push(null)
    }
  }

  /** Only while somebody waits: a slow reader is no fault of the store's. */
  #watch(): void {
    if (this.#stalled !== undefined) return
    const left = this.#since + this.#options.timeout / 2 - performance.now()
    this.#stalled = setTimeout(() => {
      this.#stalled = undefined
      if (!this.#wanted || this.#at > this.#options.end) return
      if (performance.now() - this.#since < this.#options.timeout / 2) this.#watch()
      else this.#source?.destroy()
    }, left)
  }

  #lost(source: IncomingMessage): void {
    if (source !== this.#source || this.#at > this.#options.end) return
    this.#source = undefined
    // A slow reader may never want the rest.
    if (this.#wanted) void this.#reopen()
  }

  async #reopen(): Promise<void> {
    if (this.#opening) return
    this.#opening = true
    try {
      // One connection after the other may break at once.
      await sleep(Math.random() * PAUSE)
      const { from, timeout } = this.#options
      if (performance.now() - this.#since > timeout) throw unavailable(new Error('No byte has come in time.'))
      const source = await from(this.#at)
      if (this.destroyed) source.destroy()
      else {
        this.#attach(source)
        if (this.#wanted) this.#watch()
      }
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)))
    } finally {
      this.#opening = false
    }
  }
}
