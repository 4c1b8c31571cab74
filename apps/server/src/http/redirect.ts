import type Koa from 'koa'

/** Redirects the client to `url` with GET (RFC 9110 §15.4.4). */
export function seeOther(ctx: Koa.Context, url: string): void {
  ctx.status = 303
  ctx.redirect(url)
}

/** Returns `target` if it is a path of this server, otherwise `/`: browsers read `//` and `/\` as the start of a host. */
export function localTarget(target: string | null | undefined): string {
  return target != null && /^\/(?![/\\])[\x21-\x7e]*$/.test(target) ? target : '/'
}
