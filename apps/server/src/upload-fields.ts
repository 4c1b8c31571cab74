import createError from 'http-errors'
import type Koa from 'koa'

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

/** @throws 400 for a PUT of a part, which would be stored as if it were the whole (RFC 9110 §14.5) */
export function refuseParts(ctx: Koa.Context): void {
  if (ctx.get('Content-Range') === '') return
  throw createError(400, 'PUT stores whole videos: Content-Range has no place in it.')
}
