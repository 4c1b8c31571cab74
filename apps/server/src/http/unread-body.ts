import { constants } from 'node:http2'
import type Koa from 'koa'
import { http2Stream } from 'koa-resumable-upload/http'

/**
 * Closes the connection after the response to a request whose body has not been read. Otherwise Node would read the body,
 * however long it is. Call when the response is decided.
 */
export function closeAfterUnreadBody(ctx: Koa.Context): void {
  if (ctx.req.complete || ctx.headerSent) return
  const stream = http2Stream(ctx)
  if (stream === null) ctx.set('Connection', 'close')
  // Closes the stream alone: the client stops sending and still gets the response (RFC 9113 §8.1).
  else ctx.res.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR))
}
