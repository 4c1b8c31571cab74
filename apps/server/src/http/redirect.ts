import type Koa from 'koa'

/** Sends the client on to `url`, by GET (RFC 9110 §15.4.4). */
export function seeOther(ctx: Koa.Context, url: string): void {
  ctx.status = 303
  ctx.redirect(url)
}
