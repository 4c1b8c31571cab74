import createError from 'http-errors'
import type Koa from 'koa'
import { LRUCache } from 'lru-cache'
import type { Config } from '../config/config.ts'
import { clientNetwork } from '../http/client-address.ts'
import { type RoutePattern, SAFE_METHODS, UPLOAD_ROUTES } from '../http/route-table.ts'
import { type Credentials, createCredentials, SESSION_LIFETIME } from './credentials.ts'

const FAILURE_WINDOW = 60_000
const MAX_FAILURES = 10
/** At most 2 MB. An attacker with more addresses than this is not stopped by counting them. */
const MAX_ADDRESSES = 10_000

/** Counts failures per client network (`clientNetwork`). */
class FailureLimit {
  readonly #counts = new LRUCache<string, number>({
    max: MAX_ADDRESSES,
    ttl: FAILURE_WINDOW,
    noUpdateTTL: true,
  })

  /** Counts a failure. Returns how many seconds the client has to wait, or `null` while it is within the limit. */
  add(network: string): number | null {
    const count = (this.#counts.get(network) ?? 0) + 1
    this.#counts.set(network, count)
    return count <= MAX_FAILURES ? null : Math.ceil(this.#counts.getRemainingTTL(network) / 1000)
  }
}

/** The name of each cookie that a server of this kind has set, on any port of this host. */
const COOKIES = /(?<=^|; *)range_server_session_\d{1,5}(?==)/g

/** Routes that need no token even with --private: for load balancers, and for signing in. */
const ALWAYS_OPEN: ReadonlySet<RoutePattern> = new Set(['/healthz', '/readyz', '/sign-in', '/sign-out'])

/** Routes that every client may call, but whose response shows whether a token is the right one. */
const SHOWS_SESSION: ReadonlySet<RoutePattern> = new Set(['/', '/sign-in'])

/** Returns whether a request needs the token. */
function needsToken(method: string, pattern: RoutePattern | undefined, isPrivate: boolean): boolean {
  if (pattern !== undefined && ALWAYS_OPEN.has(pattern)) return false
  const read = SAFE_METHODS.has(method)
  if (isPrivate) return !(read && pattern === '/page/*')
  // Only a client that may upload may see uploads in progress.
  return !read || (pattern !== undefined && UPLOAD_ROUTES.has(pattern) && method !== 'OPTIONS')
}

/** Decides what a client may do, by one token that all clients with access share. */
export class Access {
  readonly #credentials: Credentials
  readonly #isPrivate: boolean
  readonly #failures = new FailureLimit()

  constructor(token: string, isPrivate: boolean) {
    this.#credentials = createCredentials(token)
    this.#isPrivate = isPrivate
  }

  /**
   * Refuses requests that need the token and lack it, and counts wrong tokens wherever the response depends on one.
   *
   * @throws 401, 429
   */
  check(ctx: Koa.Context, pattern: RoutePattern | undefined): void {
    const needed = needsToken(ctx.method, pattern, this.#isPrivate)
    if (needed && this.#isPrivate) ctx.vary('Authorization, Cookie')
    const shows = pattern !== undefined && SHOWS_SESSION.has(pattern)
    if ((needed || shows) && !this.isAuthorized(ctx)) {
      if (bearerToken(ctx) !== undefined) this.#countFailure(ctx)
      if (needed) refuse(ctx)
    }
  }

  /** Returns whether the request carries the token or a valid session. */
  isAuthorized(ctx: Koa.Context): boolean {
    const token = bearerToken(ctx)
    if (token !== undefined && this.#credentials.isToken(token)) return true
    return this.#validCookies(ctx).length > 0
  }

  /** @throws 401, or 429 after too many wrong tokens */
  signIn(ctx: Koa.Context, token: string): void {
    if (!this.#credentials.isToken(token)) {
      this.#countFailure(ctx)
      throw wrongToken('The token is wrong. Enter the token of the server.')
    }
    setCookie(ctx, cookieName(ctx), this.#credentials.issue(Date.now()))
  }

  signOut(ctx: Koa.Context): void {
    for (const name of new Set([cookieName(ctx), ...this.#validCookies(ctx)])) setCookie(ctx, name, null)
  }

  /**
   * Returns the names of the cookies that hold a valid session. A session may come from another port: from another node
   * behind the same proxy, which has the same token. Cookies of a server with another token are not valid here.
   */
  #validCookies(ctx: Koa.Context): readonly string[] {
    const names = ctx.get('Cookie').match(COOKIES) ?? []
    return names.filter((name) => this.#credentials.isSession(ctx.cookies.get(name) ?? '', Date.now()))
  }

  /**
   * Runs only after a token was found wrong, so that other clients of the network cannot lock out the right one.
   *
   * @throws 429
   */
  #countFailure(ctx: Koa.Context): void {
    const wait = this.#failures.add(clientNetwork(ctx))
    if (wait === null) return
    const headers = { 'Retry-After': String(wait) }
    throw createError(429, `Too many wrong tokens came from your network. Wait ${wait} seconds.`, { headers })
  }
}

/** @throws 401 */
function refuse(ctx: Koa.Context): never {
  if (bearerToken(ctx) !== undefined)
    throw wrongToken('The token in Authorization is not the token of the server. Send the correct one.')
  const detail =
    'This request needs the token of the server: send it as Authorization: Bearer, or sign in on the page.'
  throw createError(401, detail, { headers: { 'WWW-Authenticate': 'Bearer' } })
}

function wrongToken(detail: string): Error {
  return createError(401, detail, { headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' } })
}

/** The access that `config` asks for, or `null` if every client may do everything. */
export function createAccess({ token, private: isPrivate }: Config): Access | null {
  return token === undefined ? null : new Access(token, isPrivate)
}

/** The token68 of RFC 6750 §2.1, and any other visible characters of ASCII that a token may have. */
function bearerToken(ctx: Koa.Context): string | undefined {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(ctx.get('Authorization'))?.[1]
}

/**
 * Browsers send a cookie to every port of a host (RFC 6265 §8.5), so two servers on one host would replace each other's
 * session. The port is the one that this process listens on, because a proxy may serve several servers on one port.
 */
function cookieName({ req }: Koa.Context): string {
  return `range_server_session_${req.socket.localPort}`
}

function setCookie(ctx: Koa.Context, name: string, value: string | null): void {
  ctx.cookies.set(name, value, {
    httpOnly: true,
    sameSite: 'strict',
    secure: ctx.secure,
    path: '/',
    maxAge: value === null ? 0 : SESSION_LIFETIME,
    overwrite: true,
  })
}
