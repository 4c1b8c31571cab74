/** Above this number of new entries, sorting is cheaper than inserting them one by one. */
const MANY = 256

/** Entries in the order of a comparison, by which no two of them are equal. */
export class Ordered<T extends P, P> {
  readonly #compare: (a: P, b: P) => number
  #entries: T[]

  constructor(compare: (a: P, b: P) => number, entries: Iterable<T> = []) {
    this.#compare = compare
    this.#entries = [...entries].sort(compare)
  }

  get entries(): readonly T[] {
    return this.#entries
  }

  /** Removes some entries and adds others. The entries that `entries` has returned before stay as they are. */
  apply(removed: ReadonlySet<T>, added: ReadonlySet<T>): void {
    const kept = removed.size > 0 ? this.#entries.filter((entry) => !removed.has(entry)) : this.#entries
    this.#entries = added.size > 0 || removed.size > 0 ? kept.slice() : kept
    if (added.size > MANY) this.#entries = this.#entries.concat([...added]).sort(this.#compare)
    else
      for (const entry of added)
        this.#entries.splice(lowerBound(this.#entries, entry, this.#compare), 0, entry)
  }
}

/** Returns the first index whose entry is not before `position`. */
export function lowerBound<T extends P, P>(
  entries: readonly T[],
  position: P,
  compare: (a: P, b: P) => number,
): number {
  return search(entries, (entry) => compare(entry, position) < 0)
}

/** Returns the first index whose entry is after `position`. */
export function upperBound<T extends P, P>(
  entries: readonly T[],
  position: P,
  compare: (a: P, b: P) => number,
): number {
  return search(entries, (entry) => compare(entry, position) <= 0)
}

function search<T>(entries: readonly T[], isBefore: (entry: T) => boolean): number {
  let [low, high] = [0, entries.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const entry = entries[middle]
    if (entry !== undefined && isBefore(entry)) low = middle + 1
    else high = middle
  }
  return low
}
