import cluster, { type Worker } from 'node:cluster'
import type { MetricObjectWithValues, MetricValue } from 'prom-client'
import type { Config } from '../config/config.ts'
import type { TracedRequest } from '../shared/traced-request.ts'
import type { Grant } from '../uploads/client-shares.ts'

/** The metrics of one process. */
export type Counts = readonly MetricObjectWithValues<MetricValue<string>>[]

/** Messages of a worker to the primary. */
export type FromWorker =
  /** The worker cannot start, for a reason that the operator can correct. */
  | { readonly type: 'failed'; readonly text: string; readonly exitCode: number }
  /** The worker is to end, and waits until the primary passes it no more connections. */
  | { readonly type: 'leave' }
  | { readonly type: 'take-slot' | 'free-slot'; readonly client: string }
  | { readonly type: 'begin-upload'; readonly ticket: string; readonly client: string }
  | { readonly type: 'upload-begun'; readonly ticket: string; readonly id: string; readonly client: string }
  | { readonly type: 'upload-ended'; readonly id: string }
  /** A client asks the worker for the metrics of all workers. */
  | { readonly type: 'ask-metrics' }
  | { readonly type: 'counts'; readonly counts: Counts }
  | Traced

/** A request that one worker has answered, for the traces of all workers. */
export interface Traced {
  readonly type: 'traced'
  readonly view: string
  readonly request: TracedRequest
}

/** Messages of the primary to a worker. */
export type ToWorker =
  /** The answer to the first `take-slot` that has none yet. */
  | { readonly type: 'slot'; readonly grant: Grant }
  /** The answer to `begin-upload`. */
  | { readonly type: 'upload-grant'; readonly ticket: string; readonly grant: Grant }
  | { readonly type: 'drain' }
  /** Asks for the worker's counts, which the primary adds up. */
  | { readonly type: 'count' }
  /** The answer to all `ask-metrics` that have none yet. */
  | { readonly type: 'metrics'; readonly text: string }
  /** Asks the worker to read the certificate again. */
  | { readonly type: 'reload' }
  | Traced

export function sendToPrimary(message: FromWorker): void {
  // The callback takes the error of a channel that closes just now; `disconnect` follows.
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}

export function sendToWorker(worker: Worker, message: ToWorker): void {
  // Likewise: `exit` follows.
  if (worker.isConnected()) worker.send(message, undefined, undefined, () => {})
}

const CONFIG = 'RANGE_SERVER_WORKER_CONFIG'

/** Returns the environment of a worker, which holds its configuration. Other users can read arguments. */
export function workerEnvironment(config: Config): Readonly<Record<string, string>> {
  return { [CONFIG]: JSON.stringify(config) }
}

/** Returns the configuration that the primary gave this process, or `null` if this process is not a worker. */
export function workerConfig(): Config | null {
  const text = process.env[CONFIG]
  return cluster.isWorker && text !== undefined ? (JSON.parse(text) as Config) : null
}
