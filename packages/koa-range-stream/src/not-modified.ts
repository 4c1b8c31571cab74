import type Koa from 'koa'

/** Fields that describe content, other than Content-Location; Content-Security-Policy and Accept-Ranges do not. */
const DESCRIPTIVE = /^(?:(?:repr-)?digest|content-(?!location$|security-policy).*)$/

/** One descriptor for all responses, as V8 makes a new hidden class for each new accessor. */
const respond: PropertyDescriptor & ThisType<Koa.Context> = {
  configurable: true,
  enumerable: true,
  get() {
    if (this.status === 304) {
      for (const name of this.res.getHeaderNames()) if (DESCRIPTIVE.test(name)) this.remove(name)
    }
    return true
  },
  set(value: unknown) {
    Object.defineProperty(this, 'respond', { configurable: true, enumerable: true, writable: true, value })
  },
}

/**
 * Removes what only describes content from the 304 that koa-conditional-get makes of this response (RFC 9110 §15.4.5).
 * Koa reads `ctx.respond` after all middleware; if the response stays a 200, as without koa-conditional-get, nothing changes.
 */
export function trimNotModified(ctx: Koa.Context): void {
  Object.defineProperty(ctx, 'respond', respond)
}
