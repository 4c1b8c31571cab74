import type { Span } from '../client/downloads.ts'
import type { Part } from '../client/multipart.ts'

export interface SentPart {
  readonly start: number
  readonly size: number
  /** The tails that were copied into its beginning. */
  readonly tails: readonly Span[]
  /** `undefined` until S3 has stored it. */
  done: Part | undefined
}

/** The parts of an upload that were sent, in order. */
export class SentParts {
  #parts: SentPart[] = []
  /** The number of parts in the manifest. Their tails are no longer needed. */
  #recorded = 0

  constructor(parts: readonly Part[]) {
    for (const part of parts) this.add(part.size, [], part)
    this.#recorded = parts.length
  }

  get count(): number {
    return this.#parts.length
  }

  /** The offset of the next part. */
  get end(): number {
    const last = this.#parts.at(-1)
    return last === undefined ? 0 : last.start + last.size
  }

  get tails(): readonly Span[] {
    return this.#parts.flatMap(({ tails }) => tails)
  }

  add(size: number, tails: readonly Span[], done?: Part): SentPart {
    const part = { start: this.end, size, tails, done }
    this.#parts.push(part)
    return part
  }

  /** Returns the stored parts up to the first gap or the offset `limit`, and whether these are all. */
  there(limit: number | null): { readonly parts: readonly Part[]; readonly isAll: boolean } {
    const missing = this.#parts.findIndex(
      ({ done, start, size }) => done === undefined || (limit !== null && start + size > limit),
    )
    const sent = missing === -1 ? this.#parts : this.#parts.slice(0, missing)
    return { parts: sent.flatMap(({ done }) => done ?? []), isAll: missing === -1 }
  }

  /** Removes the part that contains `offset`, and all later ones. Returns the first removed part, if there is one. */
  cutTo(offset: number): SentPart | undefined {
    const cut = this.#parts.findIndex(({ start, size }) => start + size > offset)
    const first = this.#parts[cut]
    if (first !== undefined) this.#parts = this.#parts.slice(0, cut)
    return first
  }

  /**
   * Records that the first `count` parts are in the manifest. Returns the tails that were copied into newly recorded
   * parts.
   */
  recorded(count: number): readonly Span[] {
    const folded = this.#parts.slice(this.#recorded, count).flatMap(({ tails }) => tails)
    this.#recorded = Math.max(this.#recorded, count)
    return folded
  }
}
