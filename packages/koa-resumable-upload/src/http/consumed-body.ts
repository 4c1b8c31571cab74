import type { IncomingMessage } from 'node:http'
import { BodyConsumedError } from '../errors.ts'

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
