import type { IncomingMessage, RequestListener, Server } from 'node:http'
import createError from 'http-errors'
import type Koa from 'koa'

/** A client that sends nothing for so long has gone. */
const IDLE_TIMEOUT = 30_000

/** Room for the boundaries, field names and small fields around one file in a multipart body. */
export const FORM_OVERHEAD: number = 64 * 1024

const waiting = new WeakSet<IncomingMessage>()

/**
 * Leaves the answer to `Expect: 100-continue` to the handlers, so that an upload that will be refused is never sent
 * (RFC 9110 §10.1.1). Without this Node says 100 to everybody.
 */
export function handleExpectations(server: Server, handler: RequestListener): void {
  server.on('checkContinue', (request, response) => {
    waiting.add(request)
    handler(request, response)
  })
}

/**
 * Call right before the body is read: asks a waiting client for it.
 *
 * @param maxLength bytes
 * @throws 413 when Content-Length tells of more
 */
export function expectBody(ctx: Koa.Context, maxLength: number): void {
  const length = Number(ctx.get('Content-Length') || 0)
  if (length > maxLength) {
    throw createError(413, `The request has ${length} bytes; the limit is ${maxLength}.`)
  }
  if (waiting.delete(ctx.req)) ctx.res.writeContinue()
  const { req } = ctx
  req.setTimeout(IDLE_TIMEOUT, () => req.destroy())
  req.once('close', () => req.setTimeout(0))
}
