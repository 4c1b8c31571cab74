import createError from 'http-errors'
import type Koa from 'koa'
import { isPartialContent } from 'koa-resumable-upload'

/**
 * @throws 415 for content, 501 for a transfer, that would have to be decoded before it is what the client means (RFC 9110
 * §8.4, RFC 9112 §6.1)
 */
export function refuseEncoded(ctx: Koa.Context): void {
  // Node's parser is content with any list that ends in chunked.
  const transfer = ctx.headers['transfer-encoding']
  if (transfer !== undefined && transfer.trim().toLowerCase() !== 'chunked') {
    const detail = `Transfer-Encoding: ${transfer} is not understood; chunked is.`
    // Where the body ends is not known either.
    throw createError(501, detail, { expose: true, headers: { Connection: 'close' } })
  }
  const encoding = ctx.get('Content-Encoding')
  if (encoding !== '' && encoding.toLowerCase() !== 'identity') {
    const headers = { 'Accept-Encoding': 'identity' }
    throw createError(415, `Content-Encoding: ${encoding} is not understood; send the content as it is.`, {
      headers,
    })
  }
}

/**
 * Refuses a request whose content would be stored as if it were whole although it may be a part (RFC 9110 §14.5).
 *
 * @throws 400
 */
export function refuseParts(ctx: Koa.Context): void {
  refuseContentRange(ctx)
  if (!isPartialContent(ctx.headers)) return
  throw createError(
    400,
    'The fields of this request say that its content may be a part of an upload, and this path stores whole content here. Send one well-formed Upload-Complete (?0 or ?1), or none of these fields.',
  )
}

/** @throws 400 */
export function refuseContentRange(ctx: Koa.Context): void {
  if (ctx.get('Content-Range') === '') return
  throw createError(400, 'Uploads store whole content: Content-Range is not supported.')
}
