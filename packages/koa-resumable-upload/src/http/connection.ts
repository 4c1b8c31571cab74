import { constants, type ServerHttp2Stream } from 'node:http2'
import type Koa from 'koa'

/** The HTTP/2 stream of a request, or `null` in HTTP/1. */
export function http2Stream({ req }: Pick<Koa.Context, 'req'>): ServerHttp2Stream | null {
  return 'stream' in req ? (req.stream as ServerHttp2Stream) : null
}

/** Whether the client understands interim responses: a server sends none to HTTP/1.0 (RFC 9110 §15.2). */
export function takesInterim(ctx: Koa.Context): boolean {
  // An HTTP/1 client may write any version into its request line, `HTTP/2.0` too.
  return http2Stream(ctx) !== null || ctx.req.httpVersion === '1.1'
}

/** Ends the request abruptly, without an answer: what it was about has passed to another one. */
export function terminate(ctx: Koa.Context): void {
  ctx.respond = false
  const stream = http2Stream(ctx)
  if (stream === null) ctx.req.socket?.destroy()
  else stream.close(constants.NGHTTP2_CANCEL)
}

/** Whether the client has given a stream up, unless it had its answer: `aborted` comes later than the end of what it sent. */
export function isReset(stream: ServerHttp2Stream): boolean {
  return stream.destroyed || stream.closed || stream.aborted
}

/** Returns whether the client has disconnected, so that no response can reach it. */
export function isClientGone(ctx: Koa.Context): boolean {
  const stream = http2Stream(ctx)
  if (stream !== null) return isReset(stream)
  // Tests that mock a request may leave out its socket.
  return ctx.req.socket?.destroyed === true || (ctx.req.destroyed && !ctx.req.complete)
}
