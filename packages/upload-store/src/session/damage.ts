import { relative } from 'node:path'

/** An entry of the store that cannot be used: damaged, unreadable, or not written by the store. */
export interface DamagedEntry {
  /** Its path relative to the store's directory; on S3 its name in the bucket. */
  readonly entry: string
  /** Why it cannot be used, in one sentence. */
  readonly reason: string
}

/** Entries that are remembered as reported; beyond that the oldest one may be reported again. */
const MAX_REMEMBERED = 1000

/** Reports each damaged entry once, however many requests find it. */
export class DamageReporter {
  readonly #onDamaged: ((entry: DamagedEntry) => void) | undefined
  readonly #directory: string | undefined
  readonly #reported = new Set<string>()

  /** @param directory what the paths of entries are reported relative to (none: entries have names, not paths) */
  constructor(onDamaged: ((entry: DamagedEntry) => void) | undefined, directory?: string) {
    this.#onDamaged = onDamaged
    this.#directory = directory
  }

  report(path: string, reason: string): void {
    if (this.#onDamaged === undefined || this.#reported.has(path)) return
    const [oldest] = this.#reported.size < MAX_REMEMBERED ? [] : this.#reported
    if (oldest !== undefined) this.#reported.delete(oldest)
    this.#reported.add(path)
    this.#onDamaged({ entry: this.#directory === undefined ? path : relative(this.#directory, path), reason })
  }
}
