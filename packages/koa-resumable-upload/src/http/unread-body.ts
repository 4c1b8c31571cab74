import { Readable } from 'node:stream'
import type Koa from 'koa'
import { http2Stream } from './connection.ts'

const MAX_DRAINED = 1024 ** 2
const MAX_WAIT = 1000

/**
 * Returns the body of a response that is sent before the request has been read. It is complete for the client at once (by
 * its Content-Length), and ends when the client has stopped sending or a second is over.
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
