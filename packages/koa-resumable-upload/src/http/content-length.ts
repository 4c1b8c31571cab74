import type Koa from 'koa'
import { http2Stream } from './connection.ts'

/** Returns how many bytes of content a request announces, or `null` if it does not announce that. */
export function contentLengthOf(ctx: Koa.Context): number | null {
  const { headers } = ctx
  // Content-Length does not count beside it (RFC 9112 §6.3).
  if (headers['transfer-encoding'] !== undefined) return null
  if (headers['content-length'] !== undefined) return Number(headers['content-length'])
  // Without both fields there is no content in HTTP/1, and any in HTTP/2.
  return (http2Stream(ctx)?.endAfterHeaders ?? true) ? 0 : null
}
