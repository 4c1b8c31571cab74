import { type Http2ServerRequest, Http2ServerResponse, type ServerHttp2Stream } from 'node:http2'

/** A frame of HTTP/2 carries no more, unless the client allows it. */
const SLICE = 16 * 1024

type Callback = (error: Error) => void

/**
 * A response that writes to its HTTP/2 stream in slices and counts them. Node reports nothing between the start and the end
 * of a write, so that a long one to a slow client would look like a stall.
 */
export class SlicedResponse<
  Request extends Http2ServerRequest = Http2ServerRequest,
> extends Http2ServerResponse<Request> {
  #written = 0

  constructor(stream: ServerHttp2Stream) {
    super(stream)
    // It would join the slices to one write again.
    Reflect.set(stream, '_writev', null)
  }

  /** Bytes of the body that the client's flow control has let pass. */
  get taken(): number {
    return this.#written - this.stream.writableLength
  }

  override write(
    chunk: string | Uint8Array,
    encoding?: BufferEncoding | Callback,
    callback?: Callback,
  ): boolean {
    const done = typeof encoding === 'function' ? encoding : callback
    const bytes =
      typeof chunk === 'string' ? Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8') : chunk
    this.#written += bytes.length
    let at = 0
    for (; at + SLICE < bytes.length; at += SLICE) super.write(bytes.subarray(at, at + SLICE))
    return super.write(bytes.subarray(at), done)
  }
}
