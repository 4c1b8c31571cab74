import type Koa from 'koa'
import type { StoredObject, UploadMetadata } from 'upload-store'
import type { Refusal } from '../errors.ts'
import type { Settings } from './options.ts'

/** What a response says about the upload besides whether it is complete. */
export interface Known {
  readonly offset?: number | undefined
  readonly length?: number | null | undefined
  /** ms since the epoch (as long as a new upload is kept). */
  readonly expires?: number | undefined
  /** The URL of the upload, if the client may not know it. */
  readonly location?: string | undefined
}

/** One request about an upload, and the responses of its protocol. */
export interface Exchange {
  readonly ctx: Koa.Context
  readonly settings: Settings
  /** Bytes of this request's content; `null` if the client has not announced them. */
  readonly contentLength: number | null
  /** Whether an upload is complete as soon as its known length has arrived. */
  readonly lengthCompletes: boolean
  /** Called with each offset that becomes durable while content arrives (none). */
  readonly onDurable: ((offset: number) => void) | undefined
  /** Sends the URL of a new upload before its content has arrived; returns whether the client gets it. */
  announce(location: string): boolean
  /** Responds that the upload is not complete yet. */
  answerUnfinished(status: number, known: Known): void
  /** Responds as the app does for the object that the upload has become. */
  answerCommitted(object: StoredObject, metadata: UploadMetadata, location?: string): Promise<void>
  answerRefusal(refusal: Refusal, known?: Known): void
}
