import type { IncomingMessage, RequestListener, Server } from 'node:http'
import createError from 'http-errors'
import type Koa from 'koa'
import type { UploadStore } from 'upload-store'
import { bodyWatch } from './body-rate.ts'

/** Room for the boundaries, field names and small fields around one file in a multipart body. */
export const FORM_OVERHEAD: number = 64 * 1024

const waiting = new WeakSet<IncomingMessage>()
const unmet = new WeakSet<IncomingMessage>()
const watch = bodyWatch()

/**
 * Leaves the answer to `Expect` to the handlers, so that an upload that will be refused is never sent (RFC 9110 §10.1.1).
 * Without this Node says 100 to everybody, and 417 without a word about why.
 */
export function handleExpectations(server: Server, handler: RequestListener): void {
  server.on('checkContinue', (request, response) => {
    waiting.add(request)
    handler(request, response)
  })
  server.on('checkExpectation', (request, response) => {
    unmet.add(request)
    handler(request, response)
  })
}

export function refuseExpectations(): Koa.Middleware {
  return async function refuseExpectations(ctx, next) {
    if (unmet.has(ctx.req))
      throw createError(417, `Expect: ${ctx.get('Expect')} cannot be met; 100-continue can.`)
    await next()
  }
}

/**
 * Closes the connection after an answer to a request whose body nobody has read: Node would read on, as much and as long as
 * the client cares to send.
 */
export function closeAfterUnreadBodies(): Koa.Middleware {
  return async function closeAfterUnreadBodies(ctx, next) {
    await next()
    if (!ctx.req.complete && !ctx.headerSent) ctx.set('Connection', 'close')
  }
}

export interface ExpectedBody {
  /** Bytes, `undefined` where the body comes in chunks. */
  readonly length: number | undefined
  /** Rejects with 408 when the client takes too long; for whoever waits for the body to race against. */
  readonly tooSlow: Promise<never>
}

/**
 * Call right before the body is read: asks a waiting client for it.
 *
 * @param maxLength bytes
 * @throws 413 when Content-Length tells of more; StoreError NO_SPACE when the store would not take so much now
 */
export async function expectBody(
  ctx: Koa.Context,
  store: UploadStore,
  maxLength: number,
): Promise<ExpectedBody> {
  const length = declaredLength(ctx.req)
  if (length !== undefined && length > maxLength) {
    throw createError(413, `The request has ${length} bytes; the limit is ${maxLength}.`)
  }
  await store.admit(length)
  // It may have been answered meanwhile; a 100 would be taken for the answer to what comes next.
  if (waiting.delete(ctx.req) && !ctx.headerSent) ctx.res.writeContinue()
  const tooSlow = new Promise<never>((_, reject) => {
    watch(ctx.req, (reason) => reject(createError(408, reason)))
  })
  // Nobody may be waiting any more.
  tooSlow.catch(() => {})
  return { length, tooSlow }
}

function declaredLength({ headers }: IncomingMessage): number | undefined {
  if (headers['transfer-encoding'] !== undefined) return undefined
  // Without both there is no body (RFC 9112 §6.3); Node has checked that it is a number.
  return Number(headers['content-length'] ?? 0)
}
