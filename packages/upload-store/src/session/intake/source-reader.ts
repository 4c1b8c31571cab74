import { Readable } from 'node:stream'
import type { ByteSource } from '../../contract/upload-session.ts'
import { checkUnread } from './unread-source.ts'

/** Reads sources chunk by chunk until it is interrupted, even if the source stalls. */
export class SourceReader {
  #reason: Error | undefined
  #reject: ((reason: Error) => void) | undefined

  /** Rejects the current read, and each later one, with this error. Only the first call counts. */
  interrupt(reason: Error): void {
    this.#reason ??= reason
    this.#reject?.(reason)
  }

  /** @throws what the source or `take` throws, the reason of `interrupt`, and ERR_SOURCE_CONSUMED */
  async read(source: ByteSource, take: (chunk: Uint8Array) => Promise<void>): Promise<void> {
    if (this.#reason === undefined) checkUnread(source)
    const iterator = source[Symbol.asyncIterator]()
    try {
      for (let step = await this.#next(iterator); step.done !== true; step = await this.#next(iterator)) {
        await take(step.value)
      }
    } catch (error) {
      // Neither is awaited, because the iterator of a stalled stream returns only after its next chunk.
      if (source instanceof Readable) source.destroy()
      else void endOf(iterator)
      throw error
    }
  }

  /**
   * Resolves to the next chunk, or rejects at an interruption before it. Not Promise.race, which retains memory for
   * each chunk.
   */
  #next(iterator: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    return new Promise((resolve, reject) => {
      this.#reject = reject
      // The interruption may have happened before the first read, or while `take` ran.
      if (this.#reason) reject(this.#reason)
      else iterator.next().then(resolve, reject)
    })
  }
}

/** Closes the iterator, and ignores its error because the caller reports the earlier one. */
async function endOf(iterator: AsyncIterator<Uint8Array>): Promise<void> {
  try {
    await iterator.return?.()
  } catch {}
}
