import type { Worker } from 'node:cluster'
import type { SeenRequest } from './request-views.ts'

/** What a worker tells the primary. */
export type FromWorker =
  /** It cannot start, for a reason that the person who started the server can mend. */
  | { readonly type: 'failed'; readonly text: string; readonly exitCode: number }
  /** It was told to end, and waits for the primary to give it no more connections. */
  | { readonly type: 'leave' }
  | { readonly type: SlotRequest }
  | Seen

/** One worker has seen it, and the others are to know. */
export interface Seen {
  readonly type: 'seen'
  readonly view: string
  readonly request: SeenRequest
}

export type SlotRequest = 'take-slot' | 'free-slot'

/** What the primary tells a worker. */
export type ToWorker =
  /** The answer to the first `take-slot` that has none yet. */
  { readonly type: 'slot'; readonly granted: boolean } | { readonly type: 'drain' } | Seen

export function tellPrimary(message: FromWorker): void {
  // The callback takes the error of a channel that closes just now; `disconnect` follows.
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}

export function tellWorker(worker: Worker, message: ToWorker): void {
  // Likewise: `exit` follows.
  if (worker.isConnected()) worker.send(message, undefined, undefined, () => {})
}
