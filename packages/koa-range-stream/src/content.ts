import type { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { ByteRange, Representation } from 'range-core'

/** A stream of bytes, Node's or the Web platform's. */
export type ByteStream = Readable | ReadableStream<Uint8Array>

/** A readable, sliceable source of the bytes that a URL selects now. */
export interface Content extends Representation {
  /** The file name, for Content-Disposition and, where `type` is missing, for the media type. */
  readonly name?: string | undefined
  /**
   * Opens the bytes of `range`, inclusive at both ends, or all of them. Called only when bytes are to be sent; a promise
   * that rejects leaves the response untouched.
   */
  stream(range?: ByteRange): ByteStream | Promise<ByteStream>
}
