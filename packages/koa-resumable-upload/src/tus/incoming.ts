import { type Checksum, checksumOf } from './checksum.ts'

/** What is needed of a request of the Web platform. */
export interface TusRequest {
  readonly headers: { get(name: string): string | null }
}

/** What a request says of its content that @tus/server does not tell its data store. */
export interface Incoming {
  /** Bytes, `null` where it does not say. */
  readonly contentLength: number | null
  readonly checksum: Checksum | null
}

/** @throws TusError for an Upload-Checksum that cannot be checked */
export function incoming({ headers }: TusRequest): Incoming {
  const checksum = headers.get('Upload-Checksum')
  const length = headers.get('Transfer-Encoding') === null ? headers.get('Content-Length') : null
  return {
    contentLength: length === null ? null : Number(length),
    checksum: checksum === null ? null : checksumOf(checksum),
  }
}
