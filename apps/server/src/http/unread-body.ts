import { constants } from 'node:http2'
import { Readable } from 'node:stream'
import type Koa from 'koa'
import { http2Stream } from './http2-stream.ts'

const MAX_DRAINED = 1024 ** 2
const MAX_WAIT = 1000

/**
 * Closes the connection after the response to a request whose body has not been read. Otherwise Node would read the body,
 * however long it is.
 */
export function closeAfterUnreadBodies(): Koa.Middleware {
  return async function closeAfterUnreadBodies(ctx, next) {
    await next()
    if (ctx.req.complete || ctx.headerSent) return
    const stream = http2Stream(ctx)
    if (stream === null) ctx.set('Connection', 'close')
    // Closes the stream alone: the client stops sending and still gets the response (RFC 9113 §8.1).
    else ctx.res.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR))
  }
}

/**
 * The body of an answer that comes before the request has been read: complete for the client at once (by its
 * Content-Length), ended only when the client has stopped sending or a second is over.
 *
 * Closing at once would make the kernel answer what still arrives with a reset, and the client find its pipe closed before
 * it has read the answer; reading all of it would take whatever the client cares to send. So 1 MiB more is read, and then
 * none: the client waits, and reads. A stream of HTTP/2 ends without its connection, and needs none of this.
 */
export function lingerAfter(ctx: Koa.Context, text: string): Readable | string {
  const { req } = ctx
  if (req.complete || req.destroyed || !hasBody(ctx) || http2Stream(ctx) !== null) return text
  ctx.set('Connection', 'close')
  const body = new Readable({ read() {} })
  const end = () => {
    clearTimeout(timer)
    if (!body.readableEnded) body.push(null)
  }
  const timer = setTimeout(end, MAX_WAIT)
  let drained = 0
  req.unpipe()
  req.on('data', (chunk: Buffer) => {
    drained += chunk.length
    if (drained > MAX_DRAINED) req.pause()
  })
  for (const event of ['end', 'close', 'error']) req.once(event, end)
  body.push(text)
  return body
}

function hasBody({ req }: Koa.Context): boolean {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0
}
