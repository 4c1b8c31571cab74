/** A map of at most `max` entries. When it is full, a new entry replaces the one that was used least recently. */
export class LruMap<K, V> {
  /** In the order of use. */
  readonly #entries = new Map<K, V>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  /** Returns the value that was evicted for the new one, or `undefined`. */
  set(key: K, value: V): V | undefined {
    this.#entries.delete(key)
    const [oldest] = this.#entries.size < this.#max ? [] : this.#entries
    this.#entries.set(key, value)
    if (oldest === undefined) return undefined
    this.#entries.delete(oldest[0])
    return oldest[1]
  }

  delete(key: K): void {
    this.#entries.delete(key)
  }

  /** A copy, so that entries may be deleted meanwhile. */
  values(): readonly V[] {
    return [...this.#entries.values()]
  }
}
