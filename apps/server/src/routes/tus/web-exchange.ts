import createError from 'http-errors'
import type Koa from 'koa'
import type { LazyContent } from './lazy-content.ts'

/**
 * Fields of HTTP/2 itself; fields of proxies, of which the app decides whether to trust them (@tus/server would refuse two in a
 * row); and the method override, which has taken effect already.
 */
const NOT_PASSED = /^(?:x-)?forwarded\b|^x-http-method-override$|^:/

/** The request of a Koa context as one of the Web platform; only the path of its URL counts. */
export function webRequest(ctx: Koa.Context, content: LazyContent | null): Request {
  const fields = Object.entries(ctx.headers).flatMap(([name, value]) =>
    value === undefined || NOT_PASSED.test(name) ? [] : [[name, String(value)] satisfies [string, string]],
  )
  return new Request(new URL(ctx.path, 'http://localhost'), {
    method: ctx.method,
    headers: fields,
    body: content?.stream ?? null,
    duplex: 'half',
  })
}

/** Cross-origin rules are the app's; and what is answered has no content but problems. */
const NOT_TAKEN = /^(?:access-control-.*|content-length|content-type)$/

/**
 * Answers as `response` does, where it has no content.
 *
 * @throws HttpError where it is an error
 */
export async function answerAs(ctx: Koa.Context, response: Response): Promise<void> {
  const { status, headers } = response
  if (status >= 400) throw createError(status, (await response.text()).trim(), { expose: true })
  for (const [name, value] of headers) if (!NOT_TAKEN.test(name)) ctx.set(name, value)
  ctx.body = status === 204 ? null : ''
  ctx.status = status
  ctx.remove('Content-Type')
}
