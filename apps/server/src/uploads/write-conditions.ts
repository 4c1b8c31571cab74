import createError from 'http-errors'
import type Koa from 'koa'
import { evaluatePreconditions } from 'range-core'
import type { CommitOptions, StoredObject } from 'upload-store'

/**
 * What a PUT or DELETE asks of the object that is there now, evaluated once before the body is read; the store checks it
 * again, in one step with the change.
 *
 * @throws 412
 * @see RFC 9110 §13.2
 */
export function writeConditions(ctx: Koa.Context, current: StoredObject | null): CommitOptions {
  const request = { method: ctx.method, headers: ctx.req.headersDistinct ?? ctx.headers }
  if (evaluatePreconditions(request, current) !== 'proceed') {
    throw createError(
      412,
      current === null
        ? 'There is no such video, so the condition does not hold.'
        : `The video is now ${current.etag}. Read it again, then decide.`,
    )
  }
  // Any object will do, also one that replaces the current one in the meantime.
  if (ctx.get('If-Match').trim() === '*' && ctx.get('If-None-Match') === '') return { ifMatch: '*' }
  const conditional = ['If-Match', 'If-Unmodified-Since', 'If-None-Match'].some(
    (name) => ctx.get(name) !== '',
  )
  if (!conditional) return {}
  return current === null ? { ifNoneMatch: '*' } : { ifMatch: current.etag }
}
