import type { IncomingMessage } from 'node:http'

/** How fast a client must send a body. Times are ms, and count only while the server waits for the client. */
export interface BodyRules {
  /** Bytes per second, on average over `window`. */
  readonly minRate: number
  /** Enforced once the first window has elapsed. */
  readonly window: number
  /** How much of the beginning is left out of the average. */
  readonly grace: number
  /** Maximum time before the first byte: until then a request costs its client nothing. */
  readonly firstByteTimeout: number
  /** Maximum time between two bytes. */
  readonly idleTimeout: number
  /** Maximum time for the whole body, the server's own time included. */
  readonly maxDuration: number
  /** Time between two checks. */
  readonly interval: number
}

export const BODY_RULES: BodyRules = {
  minRate: 16 * 1024,
  window: 30_000,
  grace: 10_000,
  firstByteTimeout: 10_000,
  idleTimeout: 30_000,
  maxDuration: 24 * 3_600_000,
  interval: 1000,
}

/** Calls `onSlow` once, with the reason, if the rest of the request's body breaks the rules. */
export type BodyWatch = (req: IncomingMessage, onSlow: (reason: string) => void) => void

/**
 * Makes a watch over any number of bodies, with one timer for all of them. Node's requestTimeout would end an honest long
 * upload and tolerate a slow short one.
 */
export function bodyWatch(rules: BodyRules = BODY_RULES): BodyWatch {
  const watched = new Map<
    IncomingMessage,
    { readonly pace: Pace; readonly onSlow: (reason: string) => void }
  >()
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    for (const [req, { pace, onSlow }] of watched) {
      const reason = req.complete ? null : pace.judge(req)
      if (req.complete || reason !== null) watched.delete(req)
      if (reason !== null) onSlow(reason)
    }
    if (watched.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  return function watch(req, onSlow) {
    if (req.complete || req.destroyed) return
    watched.set(req, { pace: new Pace(rules, req), onSlow })
    req.once('close', () => watched.delete(req))
    timer ??= setInterval(look, rules.interval).unref()
  }
}

/** How fast one body has been coming. */
class Pace {
  readonly #rules: BodyRules
  readonly #bytes: () => number
  readonly #started = performance.now()
  /** Counts of bytes at the ends of the intervals in the window, the latest last. */
  readonly #counts: number[]
  #intervals = 0
  #silent = 0

  constructor(rules: BodyRules, req: IncomingMessage) {
    this.#rules = rules
    this.#bytes = countBytes(req)
    this.#counts = [this.#bytes()]
  }

  /** Call at the end of each interval; returns which rule the body breaks, or `null`. */
  judge(req: IncomingMessage): string | null {
    const { minRate, window, grace, firstByteTimeout, idleTimeout, maxDuration, interval } = this.#rules
    if (performance.now() - this.#started >= maxDuration)
      return `The body was not complete after ${inSeconds(maxDuration)}. Send it as a resumable upload.`
    // Received bytes are waiting to be read: the disk is slow, not the client.
    if (req.readableLength > 0) return null
    const count = this.#bytes()
    this.#intervals++
    this.#silent = count === this.#counts.at(-1) ? this.#silent + 1 : 0
    this.#counts.push(count)
    const left = Math.max(0, this.#intervals * interval - grace)
    while ((this.#counts.length - 1) * interval > Math.min(window, left)) this.#counts.shift()
    if (count === 0 && this.#intervals * interval >= firstByteTimeout)
      return `The first byte of the body did not arrive within ${inSeconds(firstByteTimeout)}. Retry the request.`
    if (this.#silent * interval >= idleTimeout)
      return `No byte of the body arrived for ${inSeconds(idleTimeout)}. Retry the request.`
    if (this.#intervals * interval < window) return null
    const seconds = ((this.#counts.length - 1) * interval) / 1000
    const rate = (count - (this.#counts[0] ?? count)) / seconds
    if (rate >= minRate) return null
    return `The body arrived at ${Math.round(rate)} bytes/s over ${seconds} seconds; the minimum is ${minRate}. Retry over a faster connection.`
  }
}

/**
 * Returns a function that counts how many bytes of the body have arrived. The count of the connection would include other
 * requests and, in HTTP/1, chunk headers, so that a client could keep a request alive without sending its body.
 */
function countBytes(req: IncomingMessage): () => number {
  let count = req.readableLength
  const { push } = req
  req.push = (chunk, encoding) => {
    count += chunk?.length ?? 0
    return push.call(req, chunk, encoding)
  }
  return () => count
}

function inSeconds(time: number): string {
  return `${time / 1000} seconds`
}
