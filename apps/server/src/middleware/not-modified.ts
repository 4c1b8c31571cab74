import type Koa from 'koa'
import conditional from 'koa-conditional-get'

/** Fields that describe content, other than Content-Location; Content-Security-Policy and Accept-Ranges do not. */
const DESCRIPTIVE = /^(?:(?:repr-)?digest|content-(?!location$|security-policy).*)$/

/** Answers 304 by koa-conditional-get, without fields that only describe the content (RFC 9110 §15.4.5). */
export function notModified(): Koa.Middleware {
  const answer = conditional()
  return async function notModified(ctx, next) {
    await answer(ctx, next)
    if (ctx.status !== 304) return
    for (const name of ctx.res.getHeaderNames()) if (DESCRIPTIVE.test(name)) ctx.remove(name)
  }
}
