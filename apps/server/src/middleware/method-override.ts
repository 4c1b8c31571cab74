import type Koa from 'koa'
import { matchRoute } from '../http/route-table.ts'

/**
 * Makes the method that X-HTTP-Method-Override names the method of a tus request, whatever the request line says (tus 1.0,
 * "X-HTTP-Method-Override"). Mount it above everything that decides by the method: an override of a safe method must not
 * pass the guards as one. Requests for other routes keep their method.
 */
export function overrideMethod(): Koa.Middleware {
  return function overrideMethod(ctx, next) {
    const named = ctx.req.headers['x-http-method-override']?.toString()
    if (!named) return next()
    const pattern = matchRoute(ctx.path)?.pattern
    return pattern === '/files' || pattern === '/files/:id' ? runAs(named.toUpperCase(), ctx, next) : next()
  }
}

async function runAs(method: string, ctx: Koa.Context, next: Koa.Next): Promise<void> {
  const sent = ctx.method
  ctx.method = method
  await next()
  if (ctx.method === 'HEAD' && sent !== 'HEAD') sendWithoutBody(ctx)
}

/** Koa sends no content to HEAD, but the client waits for as much as Content-Length announces to the method that it sent. */
function sendWithoutBody(ctx: Koa.Context): void {
  const { status } = ctx
  ctx.body = null
  ctx.status = status
}
