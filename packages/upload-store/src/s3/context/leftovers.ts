import type { Bucket } from '../client/bucket.ts'
import { abortMultipart, type Multipart } from '../client/multipart.ts'

/**
 * How long the bytes of an object stay that was replaced or deleted, in ms: other processes may still have its record in
 * memory, and readers open it.
 */
const READERS_TIME = 60_000

/** What is not needed any more. What cannot be removed now is tried again by sweep, as long as the process lives. */
export class Leftovers {
  readonly #bucket: Bucket
  readonly #failed = new Set<() => Promise<unknown>>()
  readonly #timers = new Set<NodeJS.Timeout>()
  /** Blobs that go soon. */
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
   * Removes a blob when nobody can be about to open it; where this process ends before, sweep does.
   *
   * @param isNamed whether a record names it again: that of a commit whose answer was lost, and which was tried again
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
