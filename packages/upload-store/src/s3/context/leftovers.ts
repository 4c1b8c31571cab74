import type { Bucket } from '../client/bucket.ts'
import { abortMultipart, type Multipart } from '../client/multipart.ts'

/**
 * How long the bytes of a replaced or deleted object are kept, in ms: other processes may still have its record in
 * memory, and open its bytes for readers.
 */
const READERS_TIME = 60_000

/**
 * Removes objects and multipart uploads that are no longer needed. Failed removals are retried by sweep as long as the
 * process lives.
 */
export class Leftovers {
  readonly #bucket: Bucket
  readonly #failed = new Set<() => Promise<unknown>>()
  readonly #timers = new Set<NodeJS.Timeout>()
  /** Blobs that will be removed soon. */
  readonly pending: Set<string> = new Set()

  constructor(bucket: Bucket) {
    this.#bucket = bucket
  }

  removeObjects(names: readonly string[]): void {
    for (const name of new Set(names)) void this.#try(() => this.#bucket.remove(name))
  }

  abort(multipart: Multipart): void {
    void this.#try(() => abortMultipart(this.#bucket, multipart))
  }

  /**
   * Removes a blob once no reader can be about to open it. If the process ends earlier, sweep removes the blob.
   *
   * @param isNamed whether a record names the blob again, because a commit whose response was lost was retried
   */
  removeLater(blob: string, isNamed: () => Promise<boolean>): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.pending.delete(blob)
      void this.#try(async () => {
        if (!(await isNamed())) await this.#bucket.remove(blob)
      })
    }, READERS_TIME).unref()
    this.#timers.add(timer)
    this.pending.add(blob)
  }

  async retry(): Promise<void> {
    const tasks = [...this.#failed]
    this.#failed.clear()
    await Promise.all(tasks.map((task) => this.#try(task)))
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
  }

  async #try(task: () => Promise<unknown>): Promise<void> {
    try {
      await task()
    } catch {
      this.#failed.add(task)
    }
  }
}
