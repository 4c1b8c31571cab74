import { Readable } from 'node:stream'
import type Koa from 'koa'
import { http2Stream } from './connection.ts'

const MAX_DRAINED = 1024 ** 2
const MAX_WAIT = 1000

/**
 * The body of an answer that comes before the request has been read; it ends when the client has stopped sending, has sent
 * 1 MiB more, or a second is over. Closing at once would make the kernel answer what still arrives with a reset, and the
 * client lose the answer.
 */
export function lingering(ctx: Koa.Context, text: string): string | Readable {
  const { req } = ctx
  if (http2Stream(ctx) !== null || req.complete || req.destroyed) return text
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
