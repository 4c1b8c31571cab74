import { isIPv6 } from 'node:net'
import { LRUCache } from 'lru-cache'

const WINDOW = 60_000
const MAX_FAILURES = 10
/** 2 MB at the most; who has more addresses than this is not stopped by counting them. */
const MAX_ADDRESSES = 10_000

/** Counts failures by address. */
export class FailureLimit {
  readonly #counts = new LRUCache<string, number>({
    max: MAX_ADDRESSES,
    ttl: WINDOW,
    noUpdateTTL: true,
  })

  /** Takes a failure in; returns for how many seconds there were too many, or `null`. */
  add(address: string): number | null {
    const network = networkOf(address)
    const count = (this.#counts.get(network) ?? 0) + 1
    this.#counts.set(network, count)
    return count <= MAX_FAILURES ? null : Math.ceil(this.#counts.getRemainingTTL(network) / 1000)
  }
}

/** One customer has a whole /64 of IPv6, so that is what counts as an address. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address
  const [head = [], tail = []] = address.split('::').map((text) => text.split(':').filter(Boolean))
  const zeros = Array<string>(8 - head.length - tail.length).fill('0')
  return [...head, ...zeros, ...tail].slice(0, 4).join(':')
}
