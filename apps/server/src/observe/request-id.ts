import { randomUUID } from 'node:crypto'
import type Koa from 'koa'

/** Gives each request an id for its log lines, and its client the same one to ask about it by. */
export function requestIds(trustProxy: boolean): Koa.Middleware {
  return function requestIds(ctx, next) {
    const given = trustProxy ? ctx.get('X-Request-Id') : ''
    const id = /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID()
    ctx.state['requestId'] = id
    ctx.res.setHeader('X-Request-Id', id)
    return next()
  }
}

export function requestId(ctx: Koa.Context | undefined): string | undefined {
  return ctx?.state['requestId']
}
