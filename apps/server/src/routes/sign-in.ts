import { text } from 'node:stream/consumers'
import type Router from '@koa/router'
import createError from 'http-errors'
import type Koa from 'koa'
import { requireUnreadBody } from 'koa-resumable-upload'
import type { Access } from '../access/access.ts'
import { PAGE_FIELDS } from '../html/html.ts'
import { renderSignIn } from '../html/sign-in-page.ts'
import { queryValue } from '../http/query.ts'
import { localTarget, seeOther } from '../http/redirect.ts'
import { declaredLength, inTime } from '../http/request-body.ts'

const MAX_FORM = 4096

/** `GET` and `POST /sign-in`, `POST /sign-out`: the token for a cookie, by plain forms. */
export function signInRoutes(router: Router, access: Access): void {
  router.get('/sign-in', (ctx) => {
    ctx.set({ 'Cache-Control': 'no-store', ...PAGE_FIELDS })
    const target = localTarget(queryValue(ctx, 'return'))
    if (access.isAuthorized(ctx)) return seeOther(ctx, target)
    ctx.type = 'html'
    ctx.body = renderSignIn({ target, detail: undefined })
  })
  router.post('/sign-in', async (ctx) => {
    const form = await readForm(ctx)
    access.signIn(ctx, form.get('token') ?? '')
    seeOther(ctx, localTarget(form.get('return')))
  })
  router.post('/sign-out', (ctx) => {
    access.signOut(ctx)
    seeOther(ctx, '/')
  })
}

async function readForm(ctx: Koa.Context): Promise<URLSearchParams> {
  if (ctx.is('application/x-www-form-urlencoded') === false)
    throw createError(415, 'Send the token as a form: application/x-www-form-urlencoded, field "token".')
  const length = declaredLength(ctx)
  if (length === undefined) throw createError(411, 'The form has no Content-Length. Send the field.')
  if (length > MAX_FORM)
    throw createError(413, `The form has ${length} bytes; the limit is ${MAX_FORM}. Send only the token.`)
  requireUnreadBody(ctx.req)
  return new URLSearchParams(await Promise.race([text(ctx.req), inTime(ctx)]))
}
