import type { Readable } from 'node:stream'
import type { ByteRange, Representation } from 'range-core'

/** A web ReadableStream of bytes, by structure: Node's type and the DOM's are not assignable to each other. */
export interface WebByteStream {
  readonly locked: boolean
  cancel(reason?: unknown): Promise<void>
  getReader(): unknown
}

/** A stream of bytes, Node's or the Web platform's. */
export type ByteStream = Readable | WebByteStream

/** A readable, sliceable source of the bytes that a URL selects now. */
export interface Content extends Representation {
  /** The file name, for Content-Disposition and, where `type` is missing, for the media type. */
  readonly name?: string | undefined
  /**
   * Opens the bytes of `range`, inclusive at both ends, or all of them. Called only when bytes are to be sent; what it
   * throws or rejects with leaves the response untouched. A stream that gives more bytes is cut, and one that gives
   * fewer ends the connection.
   */
  stream(range?: ByteRange): ByteStream | Promise<ByteStream>
}
