import type Koa from 'koa'
import type { Refusal } from '../errors.ts'
import { lingerAfter } from '../http/unread-body.ts'

/** How soon to ask again, in seconds. */
const RETRY_AFTER: Readonly<Record<number, string>> = { 503: '5', 507: '60' }

/** Fields that an app may have set for content that is not sent. */
const CONTENT_FIELDS = ['Content-Disposition', 'Content-Encoding', 'Content-Range', 'ETag', 'Last-Modified']

/** Answers with a refusal as a problem in JSON (RFC 9457). The protocol adds its own fields. */
export function answerProblem(ctx: Koa.Context, refusal: Refusal): void {
  const { status, type, title, detail, members, headers = {} } = refusal
  for (const name of CONTENT_FIELDS) ctx.remove(name)
  for (const [name, value] of Object.entries(headers)) ctx.set(name, [value].flat())
  const retryAfter = RETRY_AFTER[status]
  if (retryAfter !== undefined && !ctx.res.hasHeader('Retry-After')) ctx.set('Retry-After', retryAfter)
  const text = JSON.stringify({
    ...(type === undefined ? {} : { type }),
    title,
    status,
    ...(detail === undefined ? {} : { detail }),
    ...members,
  })
  ctx.body = ctx.method === 'HEAD' ? text : lingerAfter(ctx, text)
  ctx.status = status
  ctx.set('Content-Type', 'application/problem+json')
  ctx.length = Buffer.byteLength(text)
}
