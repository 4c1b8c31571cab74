import createError from 'http-errors'
import type Koa from 'koa'
import type { Config } from '../config/config.ts'
import { isHttp2 } from '../http/http2-stream.ts'
import { decodePath } from '../http/route-table.ts'

/** Returns a check that refuses writes from a form or script of a foreign site, which would act with the access of its visitor. */
export function originCheck({ corsOrigin }: Config): (ctx: Koa.Context) => void {
  return (ctx) => {
    if (mayWrite(ctx, corsOrigin)) return
    const origin = ctx.get('Origin')
    const from = origin === '' ? 'Another site' : `The origin ${origin.slice(0, 80)}`
    throw createError(
      403,
      `${from} may not write here. Start the server with --cors-origin to allow it, or with --trust-proxy if it is behind a proxy.`,
    )
  }
}

function mayWrite(ctx: Koa.Context, corsOrigin: readonly string[]): boolean {
  const origin = ctx.get('Origin')
  // A browser sets this field itself, and no page can change it (Fetch Metadata §2).
  const site = ctx.get('Sec-Fetch-Site')
  if (origin === '') return site !== 'cross-site'
  // A form of ours, on a page that a proxy has given `Referrer-Policy: no-referrer` (Fetch §3.2).
  if (origin === 'null') return site === 'same-origin'
  const given = parseOrigin(origin)
  if (given === null) return false
  if (corsOrigin.includes(given.origin)) return true
  const own = parseOrigin(`${ctx.protocol}://${ctx.host}`)
  if (own?.origin === given.origin) return site !== 'cross-site'
  // A proxy may hide the port and the scheme of its own address. The browser has compared all three.
  return own?.hostname === given.hostname && site === 'same-origin'
}

/** Reads a serialized origin (RFC 6454 §6.2), with the default port or without; `null` if it is not an origin. */
export function parseOrigin(text: string): URL | null {
  return /^https?:\/\/[^/?#@\\\s]+$/i.test(text) && URL.canParse(text) ? new URL(text) : null
}

/** A path that is no UTF-8 in percent-encoding is the client's mistake (RFC 3986 §2.1), not a name to guess at. */
export function checkPath({ path }: Koa.Context): void {
  // For a target like http:// Koa has no path, although its type says so.
  const text: string | null | undefined = path
  if (text == null || decodePath(text) === null)
    throw createError(
      400,
      'The path has a percent-escape that is malformed or not UTF-8. Encode the path as UTF-8.',
    )
}

const VERSIONS: ReadonlySet<string> = new Set(['1.0', '1.1'])

/**
 * Answers 505 if the request line of an HTTP/1 connection names another version. Node's parser accepts such a line and
 * exempts its request from rules of HTTP/1.1, for example from the Host field.
 */
export function checkVersion(ctx: Koa.Context): void {
  const { httpVersion } = ctx.req
  if (VERSIONS.has(httpVersion) || isHttp2(ctx.req)) return
  ctx.set('Connection', 'close')
  const detail = `The request line says HTTP/${httpVersion}; this connection supports 1.0 and 1.1. Send HTTP/1.1.`
  throw createError(505, detail, { expose: true })
}
