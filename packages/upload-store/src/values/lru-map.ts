/** A map of at most `max` entries. When it is full, a new entry replaces the one that was used least recently. */
export class LruMap<K, V> {
  /** In the order of use. */
  readonly #entries = new Map<K, V>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  set(key: K, value: V): void {
    this.#entries.delete(key)
    const [oldest] = this.#entries.size < this.#max ? [] : this.#entries.keys()
    this.#entries.set(key, value)
    if (oldest !== undefined) this.#entries.delete(oldest)
  }

  delete(key: K): void {
    this.#entries.delete(key)
  }
}
