import createError from 'http-errors'
import type Koa from 'koa'
import type { Config } from '../config/config.ts'
import { matchRoute, type RoutePattern, routeMethods, UPLOAD_ROUTES } from '../http/route-table.ts'

/** Methods that the server supports on any of its routes. */
const IMPLEMENTED = new Set(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'])

/** Routes that exist only if the server has a token. */
const SIGNING_IN: ReadonlySet<RoutePattern> = new Set(['/sign-in', '/sign-out'])

/**
 * Lets only requests pass whose path is a route and whose method the route supports, so that no handler below has to decide
 * which spellings of a path it accepts. Answers OPTIONS with `Allow`; handlers may add fields to that response.
 *
 * @throws 404, 405, 501; 403 for writes to a server that is read-only
 */
export function checkRoute(config: Config): Koa.Middleware {
  return function checkRoute(ctx, next) {
    const pattern = matchRoute(ctx.path)?.pattern
    if (pattern === undefined || !exists(pattern, ctx.method, config)) {
      throw createError(404, 'There is no such path on this server. Case and slashes matter.')
    }
    if (ctx.method === 'OPTIONS') return answerOptions(ctx, pattern, config, next)
    checkMethod(ctx, pattern, config)
    return next()
  }
}

async function answerOptions(
  ctx: Koa.Context,
  pattern: RoutePattern,
  { readOnly }: Config,
  next: Koa.Next,
): Promise<void> {
  ctx.set('Allow', allowed(pattern, readOnly).join(', '))
  await next()
  // Only of an upload it is known whether it exists.
  if (ctx.status === 404 && pattern !== '/uploads/:id') ctx.status = 204
}

/** @throws 403, 405, 501 */
function checkMethod(ctx: Koa.Context, pattern: RoutePattern, { readOnly }: Config): void {
  const { method } = ctx
  if (!IMPLEMENTED.has(method)) throw createError(501, `${method} is not supported by this server.`)
  if (!routeMethods(pattern).includes(method)) {
    const headers = { Allow: allowed(pattern, readOnly).join(', ') }
    throw createError(405, `${method} is not supported on this path. Use one of ${headers.Allow}.`, {
      headers,
    })
  }
  if (readOnly && isWrite(pattern, method))
    throw createError(403, 'This server is read-only (--read-only), so it refuses uploads and deletions.')
}

function exists(pattern: RoutePattern, method: string, { token, readOnly }: Config): boolean {
  if (pattern === '*') return method === 'OPTIONS'
  if (SIGNING_IN.has(pattern)) return token !== undefined
  return !readOnly || !UPLOAD_ROUTES.has(pattern) || isWrite(pattern, method)
}

/** Signing in changes nothing that is stored. */
function isWrite(pattern: RoutePattern, method: string): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS' && !SIGNING_IN.has(pattern)
}

function allowed(pattern: RoutePattern, readOnly: boolean): readonly string[] {
  return routeMethods(pattern).filter((method) => !(readOnly && isWrite(pattern, method)))
}
