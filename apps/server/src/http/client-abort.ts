import type Koa from 'koa'
import { http2Stream, isReset } from 'koa-resumable-upload/http'

const ABORT_CODES = new Set([
  'ECONNRESET',
  'ERR_HTTP2_STREAM_ERROR',
  'ECANCELED',
  'EPIPE',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
])

/** multer's, which have no code. */
const ABORT_MESSAGES = /^Request (?:aborted|closed)$/

/**
 * Returns whether an error only reports that the client aborted the request, or sent bytes that are not HTTP. No
 * client is left for a response.
 */
export function isAbort(ctx: Koa.Context, error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  const stream = http2Stream(ctx)
  const cut = stream === null ? ctx.req.destroyed && !ctx.req.complete : stream.aborted
  // The connection to the store may break with the same codes while the client is still waiting.
  const gone = stream === null ? !ctx.req.socket || ctx.req.socket.destroyed : isReset(stream)
  return (
    cut || code.startsWith('HPE_') || (gone && (ABORT_CODES.has(code) || ABORT_MESSAGES.test(error.message)))
  )
}
