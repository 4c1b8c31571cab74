import createError from 'http-errors'
import type Koa from 'koa'
import type { Config } from './config.ts'
import { type Credentials, credentialsOf, SESSION_LIFETIME } from './credentials.ts'
import { FailureLimit } from './failure-limit.ts'
import { SAFE_METHODS } from './guards.ts'

const COOKIE = 'range_server_session'

/** What answers without a token under --private: for load balancers, and for people to sign in. */
const ALWAYS_OPEN: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/sign-in', '/sign-out'])

/** Whether a request has to come with the token; uploads in progress are for who may upload, to look at, too. */
function needsToken(method: string, path: string, isPrivate: boolean): boolean {
  if (ALWAYS_OPEN.has(path)) return false
  const read = SAFE_METHODS.has(method)
  if (isPrivate) return !(read && path.startsWith('/page/'))
  return !read || (/^\/(?:uploads|files)(?:\/|$)/.test(path) && method !== 'OPTIONS')
}

/** Who may do what, by one token that all who may share. */
export class Access {
  readonly #credentials: Credentials
  readonly #isPrivate: boolean
  readonly #failures = new FailureLimit()

  constructor(token: string, isPrivate: boolean) {
    this.#credentials = credentialsOf(token)
    this.#isPrivate = isPrivate
  }

  /** Refuses requests that need the token and lack it. */
  check(): Koa.Middleware {
    return async (ctx, next) => {
      if (!needsToken(ctx.method, ctx.path, this.#isPrivate)) return next()
      if (this.#isPrivate) ctx.vary('Authorization, Cookie')
      if (!this.isAuthorized(ctx)) this.#refuse(ctx)
      await next()
    }
  }

  isAuthorized(ctx: Koa.Context): boolean {
    const token = bearerOf(ctx)
    if (token !== undefined && this.#credentials.isToken(token)) return true
    return this.#credentials.isSession(ctx.cookies.get(COOKIE) ?? '', Date.now())
  }

  /** @throws 401, or 429 after too many */
  signIn(ctx: Koa.Context, token: string): void {
    if (!this.#credentials.isToken(token)) this.#fail(ctx, 'That is not the token.')
    setCookie(ctx, this.#credentials.issue(Date.now()))
  }

  signOut(ctx: Koa.Context): void {
    setCookie(ctx, null)
  }

  #refuse(ctx: Koa.Context): never {
    if (bearerOf(ctx) !== undefined) this.#fail(ctx, 'The token in Authorization is not the right one.')
    const detail =
      'This needs the token of the server: send it as Authorization: Bearer, or sign in on the page.'
    throw createError(401, detail, { headers: { 'WWW-Authenticate': 'Bearer' } })
  }

  /** Only after the token was found wrong, so that nobody else at an address locks out who has the right one. */
  #fail(ctx: Koa.Context, detail: string): never {
    const wait = this.#failures.add(ctx.ip)
    if (wait === null) {
      const headers = { 'WWW-Authenticate': 'Bearer error="invalid_token"' }
      throw createError(401, detail, { headers })
    }
    const headers = { 'Retry-After': String(wait) }
    throw createError(429, `Too many wrong tokens came from your address; wait ${wait} seconds.`, { headers })
  }
}

/** The access that `config` asks for, or `null` where everybody may do everything. */
export function accessOf({ token, private: isPrivate }: Config): Access | null {
  return token === undefined ? null : new Access(token, isPrivate)
}

/** The token68 of RFC 6750 §2.1, and any other visible characters that people like in a token. */
function bearerOf(ctx: Koa.Context): string | undefined {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(ctx.get('Authorization'))?.[1]
}

function setCookie(ctx: Koa.Context, value: string | null): void {
  ctx.cookies.set(COOKIE, value, {
    httpOnly: true,
    sameSite: 'strict',
    secure: ctx.secure,
    path: '/',
    maxAge: value === null ? 0 : SESSION_LIFETIME,
    overwrite: true,
  })
}
