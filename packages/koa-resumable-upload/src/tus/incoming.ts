import { IncomingMessage } from 'node:http'
import { requireUnreadBody } from '../http/consumed-body.ts'
import { type Checksum, checksumOf } from './checksum.ts'

/** The part of a request of the Web platform that is used. */
export interface TusRequest {
  readonly headers: { get(name: string): string | null }
  /** The request of Node, if @tus/server has made this one from it. */
  readonly runtime?: { readonly node?: { readonly req?: unknown } | undefined } | undefined
}

/** What a request says of its content that @tus/server does not tell its data store. */
export interface Incoming {
  /** Bytes, `null` where it does not say. */
  readonly contentLength: number | null
  readonly checksum: Checksum | null
}

/** @throws TusError for an Upload-Checksum that cannot be checked; BodyConsumedError */
export function incoming({ headers, runtime }: TusRequest): Incoming {
  const request = runtime?.node?.req
  if (request instanceof IncomingMessage && hasBody(request)) requireUnreadBody(request)
  const checksum = headers.get('Upload-Checksum')
  const length = headers.get('Transfer-Encoding') === null ? headers.get('Content-Length') : null
  return {
    contentLength: length === null ? null : Number(length),
    checksum: checksum === null ? null : checksumOf(checksum),
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
