import type Koa from 'koa'
import { evaluatePreconditions, type RequestFields, type ResponsePlan } from 'range-core'
import { contentValidators } from './planned-response.ts'

/** Fields that describe content, other than Content-Location; Content-Security-Policy and Accept-Ranges do not. */
const DESCRIPTIVE = /^(?:(?:repr-)?digest|content-(?!location$|security-policy).*)$/

const ACTION: unique symbol = Symbol('action')

type RespondingContext = Koa.Context & { [ACTION]?: () => void }

/** One descriptor for all responses, as V8 makes a new hidden class for each new accessor. */
const respond: PropertyDescriptor & ThisType<RespondingContext> = {
  configurable: true,
  enumerable: true,
  get() {
    this[ACTION]?.()
    return true
  },
  set(value: unknown) {
    Object.defineProperty(this, 'respond', { configurable: true, enumerable: true, writable: true, value })
  },
}

/** Calls `action` when Koa responds: Koa reads `ctx.respond` after all middleware. */
export function whenResponding(ctx: RespondingContext, action: () => void): void {
  ctx[ACTION] = action
  Object.defineProperty(ctx, 'respond', respond)
}

/** Whether the app has taken the response over from Koa. Reads no accessor of ours, which would act too early. */
export function isTakenOver(ctx: Koa.Context): boolean {
  return !Object.getOwnPropertyDescriptor(ctx, 'respond')?.get && ctx.respond === false
}

/**
 * Answers 304 when Koa responds, if the status is still 200 and the client has the current content.
 *
 * koa-conditional-get, if the app has it, has set the 304 by then, and this only removes the fields that describe content
 * (RFC 9110 §15.4.5). @koa/etag may have added an entity-tag by then.
 */
export function decideNotModified(ctx: Koa.Context, headers: RequestFields, plan: ResponsePlan): void {
  const mayGetEtag = plan.kind === 'full' && !plan.headers['ETag'] && headers['if-none-match'] !== undefined
  if (plan.kind !== 'not-modified' && !mayGetEtag) return
  const { body } = ctx
  whenResponding(ctx, () => {
    // Middleware upstream may have replaced the body or its validators.
    if (ctx.status === 200 && !ctx.headerSent && ctx.body === body && isCurrent(ctx, headers))
      ctx.status = 304
    if (ctx.status !== 304) return
    for (const name of ctx.res.getHeaderNames()) if (DESCRIPTIVE.test(name)) ctx.remove(name)
  })
}

/** Whether the client has the content that the response's validators, as they are now, stand for. */
function isCurrent(ctx: Koa.Context, headers: RequestFields): boolean {
  const current = { size: 0, ...contentValidators(ctx, { size: 0 }) }
  return evaluatePreconditions({ method: ctx.method, headers }, current) === 'not-modified'
}
