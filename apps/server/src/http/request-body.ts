import { constants } from 'node:http2'
import type { Server } from 'node:net'
import createError from 'http-errors'
import type Koa from 'koa'
import type { UploadStore } from 'upload-store'
import { http2StreamOf } from './http2-stream.ts'
import type { Handler } from './server.ts'
import { bodyWatch } from './slow-body.ts'

/** Room for the boundaries, field names and small fields around one file in a multipart body. */
export const FORM_OVERHEAD: number = 64 * 1024

const waiting = new WeakSet<object>()
const unmet = new WeakSet<object>()
const watch = bodyWatch()

/**
 * Leaves the answer to `Expect` to the handlers, so that an upload that will be refused is never sent (RFC 9110 §10.1.1).
 * Without this Node says 100 to everybody, and 417 without a word about why.
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
    if (ctx.req.complete || ctx.headerSent) return
    const stream = http2StreamOf(ctx)
    if (stream === null) ctx.set('Connection', 'close')
    // Only this stream: the client stops sending, and has its answer (RFC 9113 §8.1).
    else ctx.res.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR))
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
  const length = declaredLength(ctx)
  if (length !== undefined && length > maxLength) {
    throw createError(413, `The request has ${length} bytes; the limit is ${maxLength}.`)
  }
  await store.checkSpace(length)
  return { length, tooSlow: inTime(ctx) }
}

/** Asks a waiting client for its body, and rejects with 408 when it takes too long. */
export function inTime(ctx: Koa.Context): Promise<never> {
  // It may have been answered meanwhile; a 100 would be taken for the answer to what comes next.
  if (waiting.delete(ctx.req) && !ctx.headerSent) ctx.res.writeContinue()
  const tooSlow = new Promise<never>((_, reject) => {
    watch(ctx.req, (reason) => reject(createError(408, reason)))
  })
  // Nobody may be waiting any more.
  tooSlow.catch(() => {})
  return tooSlow
}

/** Bytes of the body by its header fields, `undefined` where they do not say. */
export function declaredLength(ctx: Koa.Context): number | undefined {
  const { 'transfer-encoding': coding, 'content-length': length } = ctx.headers
  if (coding !== undefined) return undefined
  // Node has checked that it is a number.
  if (length !== undefined) return Number(length)
  // Without both there is no body in HTTP/1 (RFC 9112 §6.3), and any in HTTP/2.
  return http2StreamOf(ctx)?.endAfterHeaders === false ? undefined : 0
}
