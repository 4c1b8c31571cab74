import createError from 'http-errors'
import type Koa from 'koa'

/**
 * The sha-256 of Repr-Digest in lower-case hex, or `undefined` where the client sent none; other algorithms may be
 * ignored (RFC 9530 §3).
 *
 * @throws 400 for a sha-256 that is none
 */
export function declaredDigest(ctx: Koa.Context): string | undefined {
  // Of a key that comes twice the last counts (RFC 9651 §3.2).
  const [, bytes] = [...ctx.get('Repr-Digest').matchAll(/(?:^|,)\s*sha-256=([^,;]*)/g)].at(-1) ?? []
  if (bytes === undefined) return undefined
  const [, base64] = /^:([A-Za-z\d+/]{43}=?):\s*$/.exec(bytes) ?? []
  if (base64 === undefined)
    throw createError(400, `Repr-Digest has no sha-256 in base64 between colons: ${bytes}`)
  return Buffer.from(base64, 'base64').toString('hex')
}

/** @throws 415 for content that would have to be decoded before it is what the client means (RFC 9110 §8.4) */
export function refuseEncoded(ctx: Koa.Context): void {
  const encoding = ctx.get('Content-Encoding')
  if (encoding !== '' && encoding.toLowerCase() !== 'identity') {
    const headers = { 'Accept-Encoding': 'identity' }
    throw createError(415, `Content-Encoding: ${encoding} is not understood; send the content as it is.`, {
      headers,
    })
  }
}
