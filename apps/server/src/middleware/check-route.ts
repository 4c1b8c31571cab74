import createError from 'http-errors'
import type Koa from 'koa'
import type { Config } from '../config/config.ts'
import {
  matchRoute,
  type RoutePattern,
  routeMethods,
  routePatterns,
  UPLOAD_ROUTES,
} from '../http/route-table.ts'

/** Methods that the server supports on any of its routes. */
const IMPLEMENTED = new Set(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'])

/** Routes that exist only if the server has a token. */
const SIGNING_IN: ReadonlySet<RoutePattern> = new Set(['/sign-in', '/sign-out'])

/**
 * Returns the methods that the server answers on each of its routes. No other request may pass, so that no handler has to decide
 * which spellings of a path it accepts.
 */
export function passingMethods(config: Config): ReadonlyMap<RoutePattern, ReadonlySet<string>> {
  const passes = (pattern: RoutePattern, method: string) =>
    exists(pattern, method, config) && !(config.readOnly && isWrite(pattern, method))
  return new Map(
    routePatterns().map((pattern) => [
      pattern,
      new Set(routeMethods(pattern).filter((method) => passes(pattern, method))),
    ]),
  )
}

/**
 * Refuses a request that `passingMethods` does not name.
 *
 * @param pattern `undefined`: the path is not a route
 * @throws 404, 405, 501; 403 for writes to a server that is read-only
 */
export function refuseRoute(method: string, pattern: RoutePattern | undefined, config: Config): never {
  if (pattern === undefined || !exists(pattern, method, config)) {
    throw createError(404, 'There is no such path on this server. Case and slashes matter.')
  }
  if (!IMPLEMENTED.has(method)) throw createError(501, `${method} is not supported by this server.`)
  if (routeMethods(pattern).includes(method))
    throw createError(403, 'This server is read-only (--read-only), so it refuses uploads and deletions.')
  const headers = { Allow: allowed(pattern, config.readOnly).join(', ') }
  throw createError(405, `${method} is not supported on this path. Use one of ${headers.Allow}.`, {
    headers,
  })
}

/** Answers OPTIONS of a route with `Allow`; its handlers may add fields to that response. */
export async function answerOptions(ctx: Koa.Context, { readOnly }: Config, next: Koa.Next): Promise<void> {
  const pattern = matchRoute(ctx.path)?.pattern
  if (pattern !== undefined) ctx.set('Allow', allowed(pattern, readOnly).join(', '))
  await next()
  // Only of an upload it is known whether it exists.
  if (ctx.status === 404 && pattern !== '/uploads/:id') ctx.status = 204
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
