import type { IncomingMessage } from 'node:http'
import { http2StreamOf } from './http2-stream.ts'

/** What a client must bring of a body. Times are ms; only those count in which we wait for the client. */
export interface BodyRules {
  /** Bytes per second, on average over `window`. */
  readonly minRate: number
  /** Judged from its first end on. */
  readonly window: number
  /** How much of the beginning is left out of the average. */
  readonly grace: number
  /** How long nothing may come. */
  readonly idleTimeout: number
  /** The longest that a body may take in all, our own time included. */
  readonly maxDuration: number
  /** How often it is looked at. */
  readonly interval: number
}

export const BODY_RULES: BodyRules = {
  minRate: 16 * 1024,
  window: 30_000,
  grace: 10_000,
  idleTimeout: 30_000,
  maxDuration: 24 * 3_600_000,
  interval: 1000,
}

/** Calls `onSlow`, once and with the reason, when the rest of the request's body does not come as the rules ask. */
export type BodyWatch = (req: IncomingMessage, onSlow: (reason: string) => void) => void

/**
 * Makes a watch over any number of bodies. One timer looks at all of them now and then, by the socket's own count, so that
 * the chunks themselves pass unwatched; Node's requestTimeout would end an honest long upload and let a slow short one be.
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
    this.#bytes = counterOf(req)
    this.#counts = [this.#bytes()]
  }

  /** Takes the end of an interval in, and says what is wrong by now, or `null`. */
  judge(req: IncomingMessage): string | null {
    const { minRate, window, grace, idleTimeout, maxDuration, interval } = this.#rules
    if (performance.now() - this.#started >= maxDuration)
      return `It was not over after ${inSeconds(maxDuration)}.`
    // What has come waits for us: our disk is slow, not the client.
    if (req.readableLength > 0) return null
    const count = this.#bytes()
    this.#intervals++
    this.#silent = count === this.#counts.at(-1) ? this.#silent + 1 : 0
    this.#counts.push(count)
    const left = Math.max(0, this.#intervals * interval - grace)
    while ((this.#counts.length - 1) * interval > Math.min(window, left)) this.#counts.shift()
    if (this.#silent * interval >= idleTimeout) return `Nothing came for ${inSeconds(idleTimeout)}.`
    if (this.#intervals * interval < window) return null
    const seconds = ((this.#counts.length - 1) * interval) / 1000
    const rate = (count - (this.#counts[0] ?? count)) / seconds
    if (rate >= minRate) return null
    return `In the last ${seconds} seconds ${Math.round(rate)} bytes a second came; ${minRate} are the least.`
  }
}

/** Of the whole connection in HTTP/1, where what else comes on it is not of this time. */
function counterOf(req: IncomingMessage): () => number {
  if (http2StreamOf({ req }) === null) return () => req.socket?.bytesRead ?? 0
  // One lively stream would keep all others of its connection alive, and Node counts no stream's bytes.
  let count = 0
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
