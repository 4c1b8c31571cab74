import { AsyncLocalStorage } from 'node:async_hooks'
import { type Checksum, checksumOf } from './checksum.ts'

/** What is needed of a request of the Web platform. */
export interface TusRequest {
  readonly headers: { get(name: string): string | null }
}

/** What a request says of its content that @tus/server does not tell its data store. */
interface Incoming {
  /** The id of the upload that it has begun. */
  created: string | undefined
  /** Bytes. */
  readonly contentLength: number | null
  readonly checksum: Checksum | null
}

const known = new WeakMap<TusRequest, Incoming>()
const requests = new AsyncLocalStorage<Incoming | undefined>()
// Node 20 follows promises from the first use on. Were that a request, what is no part of it would see it, too.
requests.enterWith(undefined)

/**
 * Keeps what a request says for the writing that it leads to; to be called where whoever leads there awaits it afterwards.
 *
 * @throws TusError for an Upload-Checksum that cannot be checked
 */
export function remember(request: TusRequest): void {
  const { headers } = request
  const checksum = headers.get('Upload-Checksum')
  const length = headers.get('Transfer-Encoding') === null ? headers.get('Content-Length') : null
  const told: Incoming = {
    created: undefined,
    contentLength: length === null ? null : Number(length),
    checksum: checksum === null ? null : checksumOf(checksum),
  }
  known.set(request, told)
  requests.enterWith(told)
}

/** @throws Error where the hook that calls `remember` was left out: checksums would go unchecked */
export function incoming(): Incoming {
  const found = requests.getStore()
  if (found === undefined) {
    throw new Error('The data store has not seen the request: give @tus/server its hooks, too.')
  }
  return found
}

/** The upload that a request has begun, if any. */
export function createdBy(request: TusRequest): string | undefined {
  return known.get(request)?.created
}
