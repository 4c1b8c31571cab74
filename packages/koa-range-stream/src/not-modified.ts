import type Koa from 'koa'
import { evaluatePreconditions, parseHttpDate, type RequestFields, type ResponsePlan } from 'range-core'
import { responseField } from './response-fields.ts'

/** Fields that describe content, other than Content-Location; Content-Security-Policy and Accept-Ranges do not. */
const DESCRIPTIVE = /^(?:(?:repr-)?digest|content-(?!location$|security-policy).*)$/

/** A 200 whose request is conditional. */
interface Conditional {
  readonly headers: RequestFields
  readonly body: unknown
}

/** Registered, as the ESM and the CommonJS build may meet on one response. */
const CONDITIONAL: unique symbol = Symbol.for('koa-range-stream/conditional/1')

type ConditionalContext = Koa.Context & { [CONDITIONAL]?: Conditional }

/** One descriptor for all responses, as V8 makes a new hidden class for each new accessor. */
const respond: PropertyDescriptor & ThisType<ConditionalContext> = {
  configurable: true,
  enumerable: true,
  get() {
    if (isNotModified(this)) this.status = 304
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
 * Answers 304 when Koa responds, if the status is still 200 and the client has the current content.
 *
 * Koa reads `ctx.respond` after all middleware. koa-conditional-get, if the app has it, has set the 304 by then, and this
 * only removes the fields that describe content (RFC 9110 §15.4.5). @koa/etag may have added an entity-tag by then.
 */
export function decideNotModified(ctx: ConditionalContext, headers: RequestFields, plan: ResponsePlan): void {
  const mayGetEtag = plan.kind === 'full' && plan.headers['ETag'] === undefined
  if (plan.kind !== 'not-modified' && !(mayGetEtag && headers['if-none-match'] !== undefined)) return
  ctx[CONDITIONAL] = { headers, body: ctx.body }
  Object.defineProperty(ctx, 'respond', respond)
}

/** Whether the app has taken the response over from Koa. Reads no accessor of ours, which would decide on 304 too early. */
export function isTakenOver(ctx: ConditionalContext): boolean {
  const own = Object.getOwnPropertyDescriptor(ctx, 'respond')
  return own?.get === undefined && ctx.respond === false
}

/** Evaluates the final fields: a middleware upstream may have replaced the body or its validators. */
function isNotModified(ctx: ConditionalContext): boolean {
  const planned = ctx[CONDITIONAL]
  if (planned === undefined || ctx.status !== 200 || ctx.headerSent || ctx.body !== planned.body) return false
  const date = responseField(ctx, 'Last-Modified')
  const current = {
    size: 0,
    etag: responseField(ctx, 'ETag'),
    lastModified: date === undefined ? undefined : (parseHttpDate(date) ?? undefined),
  }
  return evaluatePreconditions({ method: ctx.method, headers: planned.headers }, current) === 'not-modified'
}
