import type { IncomingMessage } from 'node:http'
import createError from 'http-errors'
import type Koa from 'koa'
import conditional from 'koa-conditional-get'
import type { Access } from '../access/access.ts'
import type { Config } from '../config/config.ts'
import { refuseExpectations } from '../http/expect-continue.ts'
import { isHttp2 } from '../http/http2-stream.ts'
import { matchRoute, SAFE_METHODS } from '../http/route-table.ts'
import { answerOptions, passingMethods, refuseRoute } from './check-route.ts'
import { checkPath, checkVersion, originCheck } from './guards.ts'
import { hostCheck } from './host.ts'
import { answerError, answerStatus } from './problems.ts'

/**
 * Runs every check of a request in one function, and answers every error and every error status without a body with a
 * problem. Each check is cheap for the values that nearly all requests have: an absent field is not parsed, and a host or path
 * that was accepted before is not examined again.
 *
 * Answers 304 by koa-conditional-get. Content that koa-range-stream serves brings its own `fresh`, and loses the fields that a 304
 * must not have (RFC 9110 §15.4.5). Requests without a condition pass by: Koa would copy all header fields of their responses, to
 * find that none is compared.
 *
 * @param access `null`: every client may do everything
 */
export function guard(config: Config, access: Access | null): Koa.Middleware {
  const check = requestCheck(config, access)
  const answerCondition = conditional()
  return async function guard(ctx, next) {
    try {
      check(ctx)
      if (ctx.req.method === 'OPTIONS') await answerOptions(ctx, config, next)
      else await (isConditional(ctx.req) ? answerCondition(ctx, next) : next())
    } catch (error) {
      answerError(ctx, error)
      return
    }
    if (ctx.res.statusCode >= 400 && ctx.body == null) answerStatus(ctx)
  }
}

function isConditional({ headers }: IncomingMessage): boolean {
  return headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined
}

/** @throws 400, 401, 403, 404, 405, 417, 421, 429, 501, 505 */
function requestCheck(config: Config, access: Access | null): (ctx: Koa.Context) => void {
  const checkAuthority = remembering(hostCheck(config))
  const checkOrigin = originCheck(config)
  const passing = passingMethods(config)
  return (ctx) => {
    const { req, res } = ctx
    // First, so that refusals have it too.
    res.setHeader('X-Content-Type-Options', 'nosniff')
    checkHead(ctx)
    checkAuthority(requestAuthority(req, config.trustProxy))
    const method = req.method ?? ''
    if (!SAFE_METHODS.has(method)) checkOrigin(ctx)
    const route = matchRoute(ctx.path)
    if (route === null || route.parameter === null) checkPath(ctx)
    if (access !== null) access.check(ctx, route?.pattern)
    if (route === null || passing.get(route.pattern)?.has(method) !== true)
      refuseRoute(method, route?.pattern, config)
  }
}

/** @throws 400, 417, 505 */
function checkHead(ctx: Koa.Context): void {
  const { req } = ctx
  if (req.httpVersion !== '1.1') checkVersion(ctx)
  if (req.headers.expect !== undefined) refuseExpectations(ctx)
  if (hasSeveralHosts(req))
    throw createError(400, 'The request has more than one Host field (RFC 9112 §3.2). Send one.')
}

/** Accepted authorities that are remembered: more than the names of one server. */
const MAX_ACCEPTED = 100

/** Returns a check that passes authorities which `check` has accepted before. A request of HTTP/1.0 may have none. */
function remembering(check: (authority: string) => void): (authority: string | undefined) => void {
  const accepted = new Set<string>()
  return (authority) => {
    if (authority === undefined || accepted.has(authority)) return
    check(authority)
    if (accepted.size === MAX_ACCEPTED) accepted.clear()
    accepted.add(authority)
  }
}

/** Returns whether an HTTP/1 request has two Host fields. `headersDistinct` would copy every field of each request. */
function hasSeveralHosts(request: IncomingMessage): boolean {
  // HTTP/2 has no Host field of its own, and Node joins the ones that a client sends.
  const { rawHeaders, httpVersion } = request
  if (httpVersion !== '1.1' && isHttp2(request)) return false
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count > 1
}

/** Returns the first name of X-Forwarded-Host. */
function forwardedHost({ headers }: IncomingMessage): string | undefined {
  return headers['x-forwarded-host']?.toString().split(',', 1)[0]?.trim()
}

/** A target in absolute form overrules Host (RFC 9112 §3.2.2), and so does HTTP/2's :authority (RFC 9113 §8.3.1). */
function requestAuthority(request: IncomingMessage, trustProxy: boolean): string | undefined {
  const forwarded = trustProxy ? forwardedHost(request) : undefined
  if (forwarded) return forwarded
  const { url = '', headers } = request
  const absolute = url.startsWith('/') ? undefined : /^https?:\/\/([^/?#]+)/i.exec(url)?.[1]
  return absolute ?? headers[':authority']?.toString() ?? headers.host
}
