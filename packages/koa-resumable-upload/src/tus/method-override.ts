import type Koa from 'koa'

/**
 * Returns middleware that makes the method which X-HTTP-Method-Override names the method of a request below `path`, whatever
 * the request line says (tus 1.0, "X-HTTP-Method-Override"). `tusUpload` does so itself. Mount this one above other
 * middleware that decides by the method: an override must not pass a guard as a safe method.
 *
 * @example
 * app.use(tusMethodOverride('/files'))
 */
export function tusMethodOverride(path = '/files'): Koa.Middleware {
  return function tusMethodOverride(ctx, next) {
    const named = ctx.req.headers['x-http-method-override']?.toString() ?? ''
    if (named === '') return next()
    // Koa has no path for a request target like `http://`.
    const requested: string | null = ctx.path
    const isOurs = requested === path || requested?.startsWith(`${path}/`) === true
    return isOurs ? runAs(named.toUpperCase(), ctx, next) : next()
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
