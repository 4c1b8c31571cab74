import type { Span } from '../client/downloads.ts'
import type { Part } from '../client/multipart.ts'

export interface SentPart {
  readonly start: number
  readonly size: number
  /** What its beginning was made of. */
  readonly tails: readonly Span[]
  /** `undefined` while it is on its way. */
  done: Part | undefined
}

/** The parts of an upload that were sent, in order. */
export class SentParts {
  #parts: SentPart[] = []
  /** How many of them are in the manifest, so that nobody needs what they were made of. */
  #told = 0

  constructor(parts: readonly Part[]) {
    for (const part of parts) this.add(part.size, [], part)
    this.#told = parts.length
  }

  get count(): number {
    return this.#parts.length
  }

  /** Where the next part begins. */
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

  /** Those that are there without a gap, up to the offset `limit`; whether those are all. */
  there(limit: number | null): { readonly parts: readonly Part[]; readonly isAll: boolean } {
    const missing = this.#parts.findIndex(
      ({ done, start, size }) => done === undefined || (limit !== null && start + size > limit),
    )
    const sent = missing === -1 ? this.#parts : this.#parts.slice(0, missing)
    return { parts: sent.flatMap(({ done }) => done ?? []), isAll: missing === -1 }
  }

  /** Takes away the part that `offset` lies in, and all behind it; the first of them, where there is one. */
  cutTo(offset: number): SentPart | undefined {
    const cut = this.#parts.findIndex(({ start, size }) => start + size > offset)
    const first = this.#parts[cut]
    if (first !== undefined) this.#parts = this.#parts.slice(0, cut)
    return first
  }

  /** Tells that the first `count` parts are in the manifest; what those were made of that were not in it before. */
  told(count: number): readonly Span[] {
    const folded = this.#parts.slice(this.#told, count).flatMap(({ tails }) => tails)
    this.#told = Math.max(this.#told, count)
    return folded
  }
}
