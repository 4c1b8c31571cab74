import { Readable } from 'node:stream'
import type { ByteSource } from '../contract/upload-session.ts'
import { checkUnread } from './unread-source.ts'

/** Reads sources chunk by chunk until it is interrupted, even one that never gives another chunk. */
export class SourceReader {
  #reason: Error | undefined
  #reject: ((reason: Error) => void) | undefined

  /** Ends the reading that goes on, and each one after it, with this error; the first one counts. */
  interrupt(reason: Error): void {
    this.#reason ??= reason
    this.#reject?.(reason)
  }

  /** @throws what the source or `take` throws, what it is interrupted with, and ERR_SOURCE_CONSUMED */
  async read(source: ByteSource, take: (chunk: Uint8Array) => Promise<void>): Promise<void> {
    if (this.#reason === undefined) checkUnread(source)
    const iterator = source[Symbol.asyncIterator]()
    try {
      for (let step = await this.#next(iterator); step.done !== true; step = await this.#next(iterator)) {
        await take(step.value)
      }
    } catch (error) {
      // A stalled stream's iterator would only return with the next chunk; and neither is waited for.
      if (source instanceof Readable) source.destroy()
      else void endOf(iterator)
      throw error
    }
  }

  /** The next chunk, or the interruption that comes first. Not Promise.race, which keeps something of every chunk. */
  #next(iterator: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    return new Promise((resolve, reject) => {
      this.#reject = reject
      // It may have come before there was anything to interrupt, or while a chunk was taken.
      if (this.#reason) reject(this.#reason)
      else iterator.next().then(resolve, reject)
    })
  }
}

/** Whatever it throws, the error that came before it is the one to tell. */
async function endOf(iterator: AsyncIterator<Uint8Array>): Promise<void> {
  try {
    await iterator.return?.()
  } catch {}
}
