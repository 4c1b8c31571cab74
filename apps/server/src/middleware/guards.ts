import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import createError from 'http-errors'
import type Koa from 'koa'
import type { Config } from '../config/config.ts'
import { hostName, isLoopback } from '../config/loopback.ts'
import { isHttp2 } from '../http/http2-stream.ts'
import { SAFE_METHODS } from '../http/route-table.ts'

/** Throws if the request must be refused. */
type Check = (ctx: Koa.Context) => void

/**
 * Refuses requests for a host name that this server does not answer for. This stops DNS rebinding: a page of a foreign
 * site whose name was rebound to the server's address sends that name, and would otherwise read and write here as if it
 * were a page of ours (RFC 9110 §7.4 for 421). Addresses and loopback names always pass, because they cannot be rebound.
 */
export function checkHost(config: Config): Check {
  const accepts = hostRule(config)
  // Most requests name the same host as the request before them.
  let lastAccepted: string | undefined
  return (ctx) => {
    if (hasSeveralHosts(ctx.req)) {
      throw createError(400, 'The request has more than one Host field (RFC 9112 §3.2). Send one.')
    }
    const forwarded = config.trustProxy ? ctx.get('X-Forwarded-Host').split(',', 1)[0]?.trim() : undefined
    const authority = forwarded || requestAuthority(ctx.req)
    // A request of HTTP/1.0 may have no Host.
    if (authority === undefined || authority === lastAccepted) return
    if (!accepts(authority)) {
      const name = JSON.stringify(authority.slice(0, 80))
      throw createError(
        421,
        `This server does not answer for ${name}. Add the name to --allowed-hosts if it should.`,
      )
    }
    lastAccepted = authority
  }
}

/** Returns whether an HTTP/1 request has two Host fields. `headersDistinct` would copy every field of each request. */
function hasSeveralHosts(request: IncomingMessage): boolean {
  // HTTP/2 has no Host field of its own, and Node joins the ones that a client sends.
  if (isHttp2(request)) return false
  const { rawHeaders } = request
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count > 1
}

/** Returns whether the server answers for an authority: uri-host and port (RFC 9110 §7.2). */
function hostRule({ host, trustProxy, token, allowedHosts }: Config): (authority: string) => boolean {
  const anyName = allowedHosts.length === 0 && token !== undefined && !(isLoopback(host) && !trustProxy)
  const names = new Set(allowedHosts)
  return (authority) => {
    // No other characters, because the name becomes a part of the URLs in responses.
    const [, name] = /^([\w.-]+|\[[\da-f:.]+\])(?::\d*)?$/i.exec(authority) ?? []
    if (name === undefined) return anyName
    return (
      anyName || isIP(name.replace(/^\[|\]$/g, '')) !== 0 || isLoopback(name) || names.has(hostName(name))
    )
  }
}

/** A target in absolute form overrules Host (RFC 9112 §3.2.2), and so does HTTP/2's :authority (RFC 9113 §8.3.1). */
function requestAuthority({ url = '', headers }: IncomingMessage): string | undefined {
  const absolute = url.startsWith('/') ? undefined : /^https?:\/\/([^/?#]+)/i.exec(url)?.[1]
  return absolute ?? headers[':authority']?.toString() ?? headers.host
}

/** Refuses writes from a form or script of a foreign site, which would act with the access of its visitor. */
export function checkOrigin({ corsOrigin }: Config): Check {
  return (ctx) => {
    if (!SAFE_METHODS.has(ctx.method) && !mayWrite(ctx, corsOrigin)) {
      const origin = ctx.get('Origin')
      const from = origin === '' ? 'Another site' : `The origin ${origin.slice(0, 80)}`
      throw createError(
        403,
        `${from} may not write here. Start the server with --cors-origin to allow it, or with --trust-proxy if it is behind a proxy.`,
      )
    }
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
  if (text != null && !text.includes('%')) return
  if (text == null || decode(text) === null)
    throw createError(
      400,
      'The path has a percent-escape that is malformed or not UTF-8. Encode the path as UTF-8.',
    )
}

/** Returns `null` if `text` cannot be decoded. A bundler drops a call of decodeURIComponent whose result is unused. */
function decode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
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
