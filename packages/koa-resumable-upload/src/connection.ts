import { constants, type ServerHttp2Stream } from 'node:http2'
import { Readable } from 'node:stream'
import type Koa from 'koa'
import { http2StreamOf } from './interim.ts'

const MAX_DRAINED = 1024 ** 2
const MAX_WAIT = 1000

/** Ends the request abruptly, without an answer: what it was about has passed to another one. */
export function terminate(ctx: Koa.Context): void {
  ctx.respond = false
  const stream = http2StreamOf(ctx)
  if (stream === null) ctx.req.socket.destroy()
  else stream.close(constants.NGHTTP2_CANCEL)
}

/** Whether the client has given a stream up, unless it had its answer: `aborted` comes later than the end of what it sent. */
export function isReset(stream: ServerHttp2Stream): boolean {
  return stream.destroyed || stream.closed || stream.aborted
}

/** Whether nobody is left who would read an answer. */
export function isGone(ctx: Koa.Context): boolean {
  const stream = http2StreamOf(ctx)
  if (stream !== null) return isReset(stream)
  return ctx.req.socket.destroyed || (ctx.req.destroyed && !ctx.req.complete)
}

/**
 * The body of an answer that comes before the request has been read; it ends when the client has stopped sending, has sent
 * 1 MiB more, or a second is over. Closing at once would make the kernel answer what still arrives with a reset, and the
 * client lose the answer.
 */
export function lingering(ctx: Koa.Context, text: string): string | Readable {
  const { req } = ctx
  if (http2StreamOf(ctx) !== null || req.complete || req.destroyed) return text
  ctx.set('Connection', 'close')
  const body = new Readable({ read() {} })
  const end = () => {
    clearTimeout(timer)
    if (!body.readableEnded) body.push(null)
  }
  const timer = setTimeout(end, MAX_WAIT)
  let drained = 0
  req.on('data', (chunk: Buffer) => {
    drained += chunk.length
    if (drained > MAX_DRAINED) req.pause()
  })
  for (const event of ['end', 'close', 'error']) req.once(event, end)
  body.push(text)
  return body
}
