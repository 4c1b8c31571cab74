import type Koa from 'koa'
import conditional from 'koa-conditional-get'

/**
 * Answers 304 by koa-conditional-get. Content that koa-range-stream serves brings its own `fresh`, and loses the fields
 * that a 304 must not have (RFC 9110 §15.4.5). Requests without a condition pass by: Koa would copy all header fields of
 * their responses, to find that none is compared.
 */
export function notModified(): Koa.Middleware {
  const answer = conditional()
  return function notModified(ctx, next) {
    const { headers } = ctx.req
    const isConditional = headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined
    return isConditional ? answer(ctx, next) : next()
  }
}
