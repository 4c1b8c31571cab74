import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Server } from 'node:net'
import createError from 'http-errors'
import type Koa from 'koa'

/** Handles a request of either version of HTTP; Koa's callback is one. */
export type Handler = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => void

/** Requests whose client waits for 100 (Continue) before it sends the body. */
const waiting = new WeakSet<object>()
/** Requests that expect anything other than 100-continue. */
const unmet = new WeakSet<object>()

/**
 * Passes requests with `Expect` to the handler, so that the body of a refused upload is never sent (RFC 9110 §10.1.1).
 * Without these listeners Node sends 100 to every client, and 417 without a reason.
 */
export function handleExpectations(server: Server, handler: Handler): void {
  server.on('checkContinue', (...[request, response]: Parameters<Handler>) => {
    waiting.add(request)
    handler(request, response)
  })
  server.on('checkExpectation', (...[request, response]: Parameters<Handler>) => {
    unmet.add(request)
    handler(request, response)
  })
}

/** Calls `listener` for every request before the handler; Node emits requests with `Expect` as events of their own. */
export function onRequest(server: Server, listener: Handler): void {
  for (const event of ['request', 'checkContinue', 'checkExpectation'])
    server.prependListener(event, listener)
}

/** Answers 417 if the request expects anything other than 100-continue. */
export function refuseExpectations(ctx: Koa.Context): void {
  if (unmet.has(ctx.req))
    throw createError(
      417,
      `Expect: ${ctx.get('Expect')} is not supported. Send 100-continue, or omit the field.`,
    )
}

/** Sends 100 (Continue) if the client waits for it. */
export function sendContinue(ctx: Koa.Context): void {
  // After a response has begun, the client would take a 100 for the response to its next request.
  if (waiting.delete(ctx.req) && !ctx.headerSent) ctx.res.writeContinue()
}
