import { Readable } from 'node:stream'
import type Koa from 'koa'

const MAX_DRAINED = 1024 ** 2
const MAX_WAIT = 1000

/**
 * The body of an answer that comes before the request has been read: complete for the client at once (by its
 * Content-Length), ended only when the client has stopped sending, sent 1 MiB more, or a second is over.
 *
 * Closing at once would make the kernel answer what still arrives with a reset, which can destroy the answer before the
 * client has read it; reading all of it would take whatever the client cares to send.
 */
export function lingerAfter(ctx: Koa.Context, text: string): Readable | string {
  const { req } = ctx
  if (req.complete || req.destroyed || !hasBody(ctx)) return text
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
    if (drained > MAX_DRAINED) end()
  })
  for (const event of ['end', 'close', 'error']) req.once(event, end)
  body.push(text)
  return body
}

function hasBody({ req }: Koa.Context): boolean {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0
}
