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

/**
 * Opens the bytes of `range`, inclusive at both ends, or all of them. Called only when bytes are to be sent; what it
 * throws or rejects with leaves the response untouched. A stream that gives more bytes is cut. One that gives fewer, or
 * fails, ends the connection; where up to 64 KiB are to be sent, and the content has an entity-tag, it leaves the
 * response untouched, too.
 */
export type ContentStream = (range?: ByteRange) => ByteStream | Promise<ByteStream>

/** A readable, sliceable source of the bytes that a URL selects now. */
export interface Content extends Representation {
  /** The file name, for Content-Disposition and, where `type` is missing, for the media type. */
  readonly name?: string | undefined
  readonly stream: ContentStream
  /**
   * The path of a regular file that holds the content from its first byte to its last, and never anything else. It is read
   * in place of `stream`, through a descriptor that stays open between requests. `stream` is called only if the file cannot
   * be opened or has another size. Leave it out of a copy of a content that has another `stream` (none).
   */
  readonly immutableFile?: string | undefined
}
