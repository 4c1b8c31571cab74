import type { ServerHttp2Stream } from 'node:http2'
import type Koa from 'koa'
import { http2Stream, takesInterim } from '../http/connection.ts'
import { takesInterimOf, versionField } from './interop.ts'
import type { UploadRequest } from './upload-request.ts'

/**
 * Sends an interim response with status 104 if the connection can carry one. Returns whether it did.
 *
 * @see draft-ietf-httpbis-resumable-upload §5
 */
export function sendInterim(ctx: Koa.Context, headers: Readonly<Record<string, string>>): boolean {
  const { req, res } = ctx
  if (res.headersSent || !takesInterim(ctx)) return false
  const stream = http2Stream(ctx)
  if (stream !== null) return sendOverHttp2(stream, headers)
  if (req.socket?.destroyed === true) return false
  // Since Node 24.18 and 26.2.
  const writeInformation: unknown = Reflect.get(res, 'writeInformation')
  if (typeof writeInformation === 'function') {
    writeInformation.call(res, 104, headers)
    return true
  }
  // Earlier versions write 100, 102 and 103 by this function, and have none for other interim responses.
  const writeRaw: unknown = Reflect.get(res, '_writeRaw')
  if (typeof writeRaw !== 'function') return false
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const text = `HTTP/1.1 104 Upload Resumption Supported\r\n${lines.join('')}\r\n`
  writeRaw.call(res, text, 'ascii')
  return true
}

function sendOverHttp2(stream: ServerHttp2Stream, headers: Readonly<Record<string, string>>): boolean {
  if (stream.destroyed || stream.closed) return false
  stream.additionalHeaders({ ':status': 104, ...headers })
  return true
}

/**
 * Returns a function that sends a durable offset to the client, which then need not keep the bytes before it (§4.4.2);
 * `undefined` for clients that do not ask for 104, and for those of drafts that have no offset in one.
 */
export function progressSender(
  ctx: Koa.Context,
  { interop }: UploadRequest,
): ((offset: number) => void) | undefined {
  if (!takesInterimOf(interop) || !interop.tellsProgress) return undefined
  return (offset) => {
    sendInterim(ctx, { ...versionField(interop), 'Upload-Offset': String(offset) })
  }
}
