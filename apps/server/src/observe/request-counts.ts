import type Koa from 'koa'
import { Counter, Histogram, type Registry } from 'prom-client'
import { matchRoute, type RoutePattern } from '../http/route-table.ts'

/** From a 304 to a film. */
const SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 600]

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Durations of a route that are collected before prom-client gets them. */
const MAX_DURATIONS = 256

/** The requests of a route that prom-client has not got yet. */
interface Pending {
  /** By method and status, with a space between them. */
  readonly answered: Map<string, number>
  /** In seconds. */
  durations: number[]
}

type Route = RoutePattern | 'other'

/**
 * Counts requests, by labels that have few values, whatever clients send. prom-client sorts and joins the labels at each call,
 * so it gets the sums, when they are asked for.
 */
export class RequestCounts {
  readonly #pending = new Map<Route, Pending>()
  readonly #aborts: Counter<'route'>
  readonly #durations: Histogram<'route'>

  constructor(registry: Registry) {
    const registers = [registry]
    const pending = this.#pending
    new Counter({
      name: 'http_requests_total',
      help: 'Requests answered in full, by method, route pattern and status',
      labelNames: ['method', 'route', 'status'],
      registers,
      collect() {
        for (const [route, { answered }] of pending) {
          for (const [key, count] of answered) {
            const [method = '', status = ''] = key.split(' ')
            this.inc({ method, route, status }, count)
          }
          answered.clear()
        }
      },
    })
    this.#aborts = new Counter({
      name: 'http_request_aborts_total',
      help: 'Requests whose client disconnected before the end of the response',
      labelNames: ['route'],
      registers,
    })
    this.#durations = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'From the header section of a request to the last byte of its answer',
      labelNames: ['route'],
      buckets: SECONDS,
      registers,
      collect: () => {
        for (const [route, each] of pending) this.#observe(route, each)
      },
    })
  }

  /** Counts a request that is over, after `ms`. */
  count({ path, req, res }: Koa.Context, ms: number): void {
    const route = matchRoute(path)?.pattern ?? 'other'
    const pending = this.#ofRoute(route)
    if (pending.durations.push(ms / 1000) === MAX_DURATIONS) this.#observe(route, pending)
    if (!isAnswered(res)) {
      this.#aborts.inc({ route })
      return
    }
    const { method = '' } = req
    const key = `${METHODS.has(method) ? method : 'other'} ${res.statusCode}`
    pending.answered.set(key, (pending.answered.get(key) ?? 0) + 1)
  }

  #ofRoute(route: Route): Pending {
    const known = this.#pending.get(route)
    if (known !== undefined) return known
    const pending: Pending = { answered: new Map(), durations: [] }
    this.#pending.set(route, pending)
    return pending
  }

  #observe(route: Route, pending: Pending): void {
    const { durations } = pending
    pending.durations = []
    for (const duration of durations) this.#durations.observe({ route }, duration)
  }
}

/**
 * Returns whether the client has the response. A refusal counts as soon as its header is sent: curl disconnects when it reads the
 * refusal of an upload, while the end of the response still waits for the rest of the upload.
 */
export function isAnswered({ writableFinished, headersSent, statusCode }: Koa.Context['res']): boolean {
  return writableFinished || (headersSent && statusCode >= 400)
}
