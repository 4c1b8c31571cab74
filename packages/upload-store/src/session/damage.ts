import { relative } from 'node:path'
import type { DamagedEntry } from '../contract/reports.ts'
import { LruMap } from '../values/lru-map.ts'

/** The number of entries remembered as reported. Past that, the least recently found entry may be reported again. */
const MAX_REMEMBERED = 1000

/** Reports each damaged entry once, however many requests find it. */
export class DamageReporter {
  readonly #onDamaged: ((entry: DamagedEntry) => void) | undefined
  readonly #directory: string | undefined
  readonly #reported = new LruMap<string, true>(MAX_REMEMBERED)

  /** @param directory what the paths of entries are reported relative to (none: entries have names, not paths) */
  constructor(onDamaged: ((entry: DamagedEntry) => void) | undefined, directory?: string) {
    this.#onDamaged = onDamaged
    this.#directory = directory
  }

  report(path: string, reason: string): void {
    if (this.#onDamaged === undefined || this.#reported.get(path)) return
    this.#reported.set(path, true)
    this.#onDamaged({ entry: this.#directory === undefined ? path : relative(this.#directory, path), reason })
  }
}
