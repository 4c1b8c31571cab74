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

/** The digests that a request declares of its own content. */
export interface ContentDigest {
  update(chunk: Uint8Array): void
  /** @throws RefusedError if the content that `update` received has another digest */
  verify(): void
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
  /** Whether clients of this protocol may use an upload with this metadata. To them, others do not exist. */
  owns(metadata: UploadMetadata): boolean
  /**
   * Returns the digests that the request declares of its content, or `null` if it declares none that are known.
   *
   * @throws RefusedError if a declared value is malformed
   */
  contentDigest(): ContentDigest | null
  /** Returns what to do with content past the end of the upload; `fatal`: the upload is removed. */
  beyondLength(length: number): { readonly refusal: Refusal; readonly fatal: boolean }
  /** Whether the refusal of a creation has the URL of the upload, so that the client can resume it. */
  readonly locatesRefused: boolean
  /** Sends the URL of a new upload before its content has arrived; returns whether the client gets it. */
  announce(location: string): boolean
  /** Responds that the upload is not complete yet. */
  answerUnfinished(status: number, known: Known): void
  /** Responds as the app does for the object that the upload has become. */
  answerCommitted(object: StoredObject, metadata: UploadMetadata, location?: string): Promise<void>
  answerRefusal(refusal: Refusal, known?: Known): void
}
