import type { Readable } from 'node:stream'
import type Koa from 'koa'
import { textOf } from './errors.ts'

/** Destroys the body when its client disconnects, which is no error then, and the connection when the body fails. */
export function tieToClient(ctx: Koa.Context, body: Readable): void {
  // Koa 2 pipes and leaves the connection open when the body fails: the client would wait for the rest.
  body.once('error', () => ctx.res.destroy())
  // Koa destroys the body with the response or its connection. It does not see the end of a response that is queued behind another
  // one of its connection, or of a stream of HTTP/2. A listener of ours takes as long as planning the response.
  if (!(ctx.req.httpVersionMajor === 1 && ctx.res.socket)) endWithClient(ctx, body)
  forgiveAborts(ctx)
}

/** Destroys a body when its client disconnects. */
export function endWithClient(ctx: Koa.Context, body: Readable): void {
  ctx.req.once('close', () => {
    if (isClientGone(ctx)) body.destroy()
  })
  if (isClientGone(ctx)) body.destroy()
}

/**
 * Keeps a client that goes away in mid-body, as a player does at every seek, from being reported as an error of ours.
 * Koa 3 pipes bodies through `pipeline` and hands what that says to `ctx.onerror`; a body that fails says something else.
 * EPIPE is what a write says when the client was quicker.
 */
function forgiveAborts(ctx: Koa.Context): void {
  const { onerror } = ctx
  ctx.onerror = (error) => {
    const code = textOf(error, 'code')
    if (code !== 'ERR_STREAM_PREMATURE_CLOSE' && code !== 'EPIPE') onerror.call(ctx, error)
  }
}

/** Whether the client's connection, or its stream of one, is closed. */
export function isClientGone({ req }: Koa.Context): boolean {
  // HTTP/2 removes the socket; a mock request in an application's tests may lack the property.
  return !req.socket || req.socket.destroyed === true
}
