import type Koa from 'koa'

/** Sends the content's URL as Content-Location in a response that has no Location, or another one. */
export function moveLocation(ctx: Koa.Context): void {
  if (!ctx.res.hasHeader('Location')) return
  ctx.set('Content-Location', ctx.response.get('Location'))
  ctx.remove('Location')
}
