import type Koa from 'koa'
import type { Config } from '../config/config.ts'
import { refuseExpectations } from '../http/expect-continue.ts'
import { checkHost, checkOrigin, checkPath, checkVersion } from './guards.ts'

/**
 * Runs every check that needs neither the token nor the route, in one layer: a layer of its own costs each request more
 * than its check.
 *
 * @throws 400, 403, 417, 421, 505
 */
export function checkRequest(config: Config): Koa.Middleware {
  const hostCheck = checkHost(config)
  const originCheck = checkOrigin(config)
  return function checkRequest(ctx, next) {
    // First, so that refusals have it too.
    ctx.res.setHeader('X-Content-Type-Options', 'nosniff')
    checkVersion(ctx)
    refuseExpectations(ctx)
    hostCheck(ctx)
    originCheck(ctx)
    checkPath(ctx)
    return next()
  }
}
