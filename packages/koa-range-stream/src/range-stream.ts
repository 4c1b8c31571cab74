import { ReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import type Koa from 'koa'
import { bodyContent } from './body-content.ts'
import { isContentChanged, mountedWithoutCall, textOf, type WarningCode, warnOnce } from './errors.ts'
import type { FileContentOptions } from './file/file-content.ts'
import { isTakenOver, whenResponding } from './not-modified.ts'
import { type ServeContentOptions, serveContent } from './serve-content.ts'
import { isWebStream } from './web-stream-content.ts'

export interface RangeStreamOptions
  extends Pick<ServeContentOptions, 'maxRanges' | 'maxPartialLength'>,
    Pick<FileContentOptions, 'fileSystem'> {}

/** How often the response is planned if the file changes between its plan and its opening. */
const ATTEMPTS = 3

/**
 * Serves ranges and evaluates preconditions for the body that the middleware after it leaves: koa-static's file stream,
 * a Buffer, a string, a Blob, a web ReadableStream with Content-Length, or a `Content`.
 *
 * Koa sends every other response as it would without this middleware: methods other than GET and HEAD, statuses other than
 * 200, bodies with Content-Encoding or Content-Range, streams of unknown length, and file streams that are not certain to
 * be the whole file at their path.
 *
 * @see RFC 9110 §14
 * @example
 * app.use(rangeStream()) // 206, 304, 412, 416
 * app.use(serve('videos')) // koa-static: bodies
 */
export function rangeStream(options: RangeStreamOptions = {}): Koa.Middleware {
  // A thrown error makes Koa answer 500. Otherwise a middleware that returns another one would be a silent 404.
  if ('req' in options) throw mountedWithoutCall()
  return async function rangeStream(ctx, next) {
    await next()
    const { body } = ctx
    // koa-static's stream may fail to open before Koa sends the body, which is when Koa begins to listen for errors.
    if (body instanceof Readable) body.on('error', () => {})
    if (body == null && ctx.status === 404) reportLaterFile(ctx)
    if (!isPlainRead(ctx)) return
    const isServed = await serveBody(ctx, body, options)
    if (isServed && !ctx.res.hasHeader('ETag')) reportLaterTag(ctx)
    // koa-static-cache sets it to the digest of all bytes, which is wrong with a part of them (RFC 7231 appendix B).
    if (ctx.status === 206) ctx.remove('Content-MD5')
  }
}

/** A file that has become the body by the time Koa responds came too late for its ranges. */
function reportLaterFile(ctx: Koa.Context): void {
  warnWhenResponding(ctx, 'BODY_SET_ABOVE', BODY_SET_ABOVE, () => ctx.body instanceof ReadStream)
}

/** An entity-tag that is set later came too late for If-Match and If-Range, and is missing in responses to HEAD. */
function reportLaterTag(ctx: Koa.Context): void {
  warnWhenResponding(ctx, 'ETAG_SET_ABOVE', ETAG_SET_ABOVE, () => ctx.res.hasHeader('ETag'))
}

function warnWhenResponding(ctx: Koa.Context, code: WarningCode, text: string, isLate: () => boolean): void {
  if (Object.hasOwn(ctx, 'respond')) return
  whenResponding(ctx, () => {
    if (ctx.status === 200 && isLate()) warnOnce(code, text)
  })
}

const BODY_SET_ABOVE =
  'Middleware above rangeStream(), such as koa-static with defer: true, set a file as the body: it is sent without ranges. Mount rangeStream() above it.'
const ETAG_SET_ABOVE =
  'Middleware above rangeStream(), such as koa-etag, set an ETag: If-Match and If-Range do not see it. Mount rangeStream() above it.'

/** Returns whether the response is ours: Koa sends the others as it would without this middleware. */
async function serveBody(ctx: Koa.Context, body: unknown, options: RangeStreamOptions): Promise<boolean> {
  const readOnce = isWebStream(body)
  for (let attempt = 1; ; attempt++) {
    const content = await bodyContent(ctx, body, options)
    if (content === null) return false
    try {
      await serveContent(ctx, content, readOnce ? { ...options, maxRanges: 1 } : options)
      // Koa keeps a replaced stream, and koa-static's open file with it, until the response has ended.
      dismiss(body)
      return true
    } catch (error) {
      if (attempt < ATTEMPTS && isContentChanged(error)) continue
      if (!mayStillSend(body, error)) throw error
      return false
    }
  }
}

/** koa-static's stream opens on the next tick. This skips that open, which costs as much as serving a small range. */
function dismiss(body: unknown): void {
  if (body instanceof ReadStream && body.pending) body._construct = (callback) => callback()
  if (body instanceof Readable) body.destroy()
}

function isPlainRead(ctx: Koa.Context): boolean {
  const { method, status, res, headerSent } = ctx
  return (
    !isTakenOver(ctx) &&
    !headerSent &&
    !res.hasHeader('Transfer-Encoding') &&
    (method === 'GET' || method === 'HEAD') &&
    status === 200 &&
    !res.hasHeader('Content-Encoding') &&
    !res.hasHeader('Content-Range')
  )
}

/** If the file cannot be opened again: the app's stream may have it open, or else reports its own failure. */
function mayStillSend(body: unknown, error: unknown): boolean {
  const isOpening = textOf(error, 'syscall') === 'open'
  return body instanceof ReadStream && (isOpening || isContentChanged(error))
}
