/** Whether a client got what it asked for; if not, whether all shares are in use, or only those of its address. */
export type Grant = 'granted' | 'all-used' | 'own-used'

/** Part of the whole that one client address may have, so that no client can shut out the others. */
const PART = 1 / 4

/** Counts what clients hold: at most `max` in all, of which one client may hold a quarter, and always one. */
export class ClientShares {
  readonly #max: number
  readonly #maxPerClient: number
  readonly #held = new Map<string, number>()
  #total = 0

  constructor(max: number) {
    this.#max = max
    this.#maxPerClient = Math.max(1, Math.floor(max * PART))
  }

  /** Whether the client may hold one more. */
  check(client: string): Grant {
    if (this.#total >= this.#max) return 'all-used'
    return this.#heldBy(client) >= this.#maxPerClient ? 'own-used' : 'granted'
  }

  /** Counts one more, if the client may hold it. */
  take(client: string): Grant {
    const grant = this.check(client)
    if (grant === 'granted') this.add(client)
    return grant
  }

  /** Counts one more, whatever the limits are. */
  add(client: string): void {
    this.#held.set(client, this.#heldBy(client) + 1)
    this.#total++
  }

  remove(client: string): void {
    const held = this.#heldBy(client)
    if (held === 0) return
    if (held === 1) this.#held.delete(client)
    else this.#held.set(client, held - 1)
    this.#total--
  }

  #heldBy(client: string): number {
    return this.#held.get(client) ?? 0
  }
}
