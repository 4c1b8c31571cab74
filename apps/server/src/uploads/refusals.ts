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
    const detail = `Transfer-Encoding: ${transfer} is not supported. Send chunked, or Content-Length.`
    // Where the body ends is not known either.
    throw createError(501, detail, { expose: true, headers: { Connection: 'close' } })
  }
  const encoding = ctx.get('Content-Encoding')
  if (encoding !== '' && encoding.toLowerCase() !== 'identity') {
    const headers = { 'Accept-Encoding': 'identity' }
    throw createError(415, `Content-Encoding: ${encoding} is not supported. Send the content without it.`, {
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
    'The header fields announce a part of an upload, but this path stores whole content. Send one well-formed Upload-Complete (?0 or ?1), or none of these fields.',
  )
}

/** @throws 400 */
export function refuseContentRange(ctx: Koa.Context): void {
  if (ctx.get('Content-Range') === '') return
  throw createError(
    400,
    'Content-Range is not supported, because uploads store whole content. Omit the field.',
  )
}
