import { LRUCache } from 'lru-cache'

const WINDOW = 60_000
const MAX_FAILURES = 10
/** At most 2 MB. An attacker with more addresses than this is not stopped by counting them. */
const MAX_ADDRESSES = 10_000

/** Counts failures per client network (`clientNetwork`). */
export class FailureLimit {
  readonly #counts = new LRUCache<string, number>({
    max: MAX_ADDRESSES,
    ttl: WINDOW,
    noUpdateTTL: true,
  })

  /** Counts a failure. Returns how many seconds the client has to wait, or `null` while it is within the limit. */
  add(network: string): number | null {
    const count = (this.#counts.get(network) ?? 0) + 1
    this.#counts.set(network, count)
    return count <= MAX_FAILURES ? null : Math.ceil(this.#counts.getRemainingTTL(network) / 1000)
  }
}
