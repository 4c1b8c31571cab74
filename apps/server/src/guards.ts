import type { IncomingMessage } from 'node:http'
import createError from 'http-errors'
import type Koa from 'koa'
import type { Config } from './config.ts'
import { isLoopback } from './loopback.ts'

export const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * On loopback only names of loopback are answered: a page of a foreign site whose name was rebound to 127.0.0.1 sends
 * that name, and would else read and write here as if it were ours (RFC 9110 §7.4 for 421).
 */
export function checkHost({ host, trustProxy }: Config): Koa.Middleware {
  const guarded = isLoopback(host) && !trustProxy
  return async function checkHost(ctx, next) {
    // HTTP/2 has none of its own, and joins what a client sends.
    if ((ctx.req.headersDistinct?.['host'] ?? []).length > 1) {
      throw createError(400, 'The request has more than one Host field (RFC 9112 §3.2).')
    }
    const named = authorityOf(ctx.req)
    if (guarded && named !== undefined && !namesLoopback(named)) {
      throw createError(
        421,
        `This server answers on ${host} only, not as ${JSON.stringify(named.slice(0, 80))}.`,
      )
    }
    await next()
  }
}

/** A target in absolute form overrules Host (RFC 9112 §3.2.2), and so does HTTP/2's :authority (RFC 9113 §8.3.1). */
function authorityOf({ url = '', headers }: IncomingMessage): string | undefined {
  return /^https?:\/\/([^/?#]+)/i.exec(url)?.[1] ?? headers[':authority']?.toString() ?? headers.host
}

/** uri-host and port (RFC 9110 §7.2), no stranger characters: the name goes into the URLs that we answer. */
function namesLoopback(authority: string): boolean {
  const [, host] = /^([\w.-]+|\[[\da-f:.]+\])(?::\d*)?$/i.exec(authority) ?? []
  return host !== undefined && isLoopback(host)
}

/** A form or script of a foreign site must not write here with its visitor's access to this machine. */
export function checkOrigin({ corsOrigin }: Config): Koa.Middleware {
  return async function checkOrigin(ctx, next) {
    if (SAFE_METHODS.has(ctx.method)) return next()
    const origin = ctx.get('Origin')
    const allowed = corsOrigin.includes(origin)
    const own = origin === '' || origin === `${ctx.protocol}://${ctx.host}`
    if (!allowed && (!own || ctx.get('Sec-Fetch-Site') === 'cross-site')) {
      const from = origin === '' ? 'Another site' : origin
      throw createError(
        403,
        `${from} may not write here: start with --cors-origin to allow it, or with --trust-proxy behind a proxy.`,
      )
    }
    await next()
  }
}

/** A path that is no UTF-8 in percent-encoding is the client's mistake (RFC 3986 §2.1), not a name to guess at. */
export function checkPath(): Koa.Middleware {
  return async function checkPath(ctx, next) {
    try {
      // Koa has no path at all for a target like http://
      decodeURIComponent(ctx.path ?? '%')
    } catch {
      throw createError(400, 'The path has a percent-escape that is broken or no UTF-8.')
    }
    await next()
  }
}

export function refuseWrites(): Koa.Middleware {
  return async function refuseWrites(ctx, next) {
    if (!SAFE_METHODS.has(ctx.method)) throw createError(403, 'This server is read-only.')
    await next()
  }
}
