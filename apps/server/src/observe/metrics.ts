import type Koa from 'koa'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Connections } from '../connections/connections.ts'
import { isAbort } from '../http/client-abort.ts'
import { RequestCounts } from './request-counts.ts'
import { standardError } from './standard-streams.ts'

/** What this process counts. Every label has few values, whatever clients send. */
export class Metrics {
  readonly registry: Registry = new Registry()
  readonly requests: RequestCounts = new RequestCounts(this.registry)
  readonly #uploadsInProgress: Gauge
  readonly #uploads: Counter<'outcome'>
  readonly #damagedEntries: Counter

  constructor() {
    const registers = [this.registry]
    this.#uploadsInProgress = new Gauge({
      name: 'uploads_in_progress',
      help: 'Requests that bring content in now',
      registers,
    })
    this.#uploads = new Counter({
      name: 'uploads_total',
      help: 'Uploads that were committed, and requests of uploads that were refused or aborted',
      labelNames: ['outcome'],
      registers,
    })
    for (const outcome of ['committed', 'refused', 'aborted']) this.#uploads.inc({ outcome }, 0)
    this.#damagedEntries = new Counter({
      name: 'store_damaged_entries_total',
      help: 'Damaged or foreign entries of the store that were skipped, each counted once by each process',
      registers,
    })
    countDroppedLines(this.registry)
    collectDefaultMetrics({ register: this.registry })
  }

  /** Counts bytes by what connections know, at each look: nothing passes through here. */
  watch(connections: Connections): void {
    const bytes = { received: 'Bytes that came', sent: 'Bytes that went' } as const
    for (const [direction, help] of Object.entries(bytes)) {
      new Counter({
        name: `http_${direction}_bytes_total`,
        help: `${help}, over all connections, header sections and TLS included`,
        registers: [this.registry],
        collect() {
          this.reset()
          this.inc(direction === 'sent' ? connections.sent : connections.received)
        },
      })
    }
  }

  /** Counts a request that has begun to receive content. */
  receiving(): void {
    this.#uploadsInProgress.inc()
  }

  /** Counts the end of a request that `receiving` counted. */
  received(): void {
    this.#uploadsInProgress.dec()
  }

  /** Counts an entry that the store cannot use. */
  damaged(): void {
    this.#damagedEntries.inc()
  }

  committed(): void {
    this.#uploads.inc({ outcome: 'committed' })
  }

  /** Of an upload, or a request of one. */
  failed(ctx: Koa.Context, error: unknown): void {
    this.#uploads.inc({ outcome: isAbort(ctx, error) ? 'aborted' : 'refused' })
  }
}

/** Counts, in `registry`, the log lines that this process could not write. */
export function countDroppedLines(registry: Registry): void {
  new Counter({
    name: 'log_lines_dropped_total',
    help: 'Log lines dropped because standard error was full or not read',
    registers: [registry],
    collect() {
      this.reset()
      this.inc(standardError().dropped)
    },
  })
}
