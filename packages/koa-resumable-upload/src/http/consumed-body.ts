import type { IncomingMessage } from 'node:http'

/** The app has a fault: other middleware reads the body of a request that an upload needs. */
export class BodyConsumedError extends Error {
  readonly code = 'BODY_CONSUMED'
  /** For Koa, which does not send the message of a 500 to the client. */
  readonly status = 500
  override readonly name = 'BodyConsumedError'
}

/**
 * Checks that the whole body of a request is still to be read. Call it before anything is created from the body, because a
 * body that a parser has read looks like an empty one.
 *
 * @throws BodyConsumedError (code BODY_CONSUMED, status 500) if other middleware has read the body, or reads it
 */
export function requireUnreadBody(request: IncomingMessage): void {
  const reader = findReader(request)
  if (reader === null) return
  throw new BodyConsumedError(
    `The body of ${request.method} ${pathOf(request)} ${reader}, so the upload would lack bytes. ` +
      'Mount middleware that receives uploads above body parsers (koa-body, @koa/bodyparser), and read no request body above it.',
  )
}

function findReader(request: IncomingMessage): string | null {
  // A client that went away is no fault of the app.
  if (request.readableEnded || request.readableDidRead) return 'has already been read by other middleware'
  const listens = request.listenerCount('data') > 0 || request.listenerCount('readable') > 0
  return listens || request.readableFlowing === true ? 'is being read by other middleware' : null
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1).join('')
}
