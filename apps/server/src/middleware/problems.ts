import { isHttpError } from 'http-errors'
import type Koa from 'koa'
import { lingerAfter } from 'koa-resumable-upload/http'
import { StoreError, uploadErrorStatus } from 'upload-store'
import { PAGE_FIELDS } from '../html/html.ts'
import { renderProblem } from '../html/problem-page.ts'
import { renderSignIn } from '../html/sign-in-page.ts'
import { isAbort } from '../http/client-abort.ts'
import { createProblem, PROBLEM_TYPE, type Problem } from '../http/problem.ts'
import { localTarget } from '../http/redirect.ts'

/** Fields that were set for the content that does not come; they would even make caches keep the problem. */
const CONTENT_FIELDS = [
  'Cache-Control',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Range',
  'ETag',
  'Last-Modified',
  'Repr-Digest',
]

/** Statuses from 500 on that are no failure of the server, and when a client should retry, in seconds. */
const RETRY_AFTER: Readonly<Record<number, string>> = { 503: '5', 507: '60' }

const DAMAGED = 'The stored file is damaged. Upload it again, or delete it.'

/** Statuses from 500 on that are the client's error. */
const REFUSALS: ReadonlySet<number> = new Set([501, 505])

/** Answers an error status that no handler has given a body with a problem. */
export function answerStatus(ctx: Koa.Context): void {
  answer(ctx, createProblem(ctx.status))
}

/** Answers an error with a problem; a failure of the server also goes to the log. */
export function answerError(ctx: Koa.Context, error: unknown): void {
  const problem = toProblem(error)
  const retryAfter = RETRY_AFTER[problem.status]
  const isRefusal =
    problem.status < 500 || REFUSALS.has(problem.status) || retryAfter !== undefined || isDamage(error)
  // The listener distinguishes an abort of the client from a failure.
  if (!isRefusal || isUnavailable(error)) ctx.app.emit('error', error, ctx)
  if (ctx.headerSent || isAbort(ctx, error)) return
  if (isHttpError(error) && error.headers !== undefined) ctx.set(error.headers)
  if (retryAfter !== undefined) ctx.set('Retry-After', retryAfter)
  answer(ctx, problem)
}

/** The store has reported the entry once; a line for each request would add nothing. */
function isDamage(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'CORRUPT'
}

/** Logged, because the operator needs the cause. */
function isUnavailable(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'UNAVAILABLE'
}

function toProblem(error: unknown): Problem {
  if (!(error instanceof Error)) return createProblem(500)
  const [status, detail] = statusAndDetail(error)
  const more: unknown = isHttpError(error) ? error['problem'] : undefined
  return createProblem(status, detail, typeof more === 'object' && more !== null ? more : {})
}

function statusAndDetail(error: Error): readonly [number, string | undefined] {
  if (isHttpError(error)) return [error.status, error.expose ? error.message : undefined]
  const status = uploadErrorStatus(error) ?? 500
  // Its message may have a path in it.
  if (status === 500) return [500, isDamage(error) ? DAMAGED : undefined]
  return [status, error instanceof StoreError ? error.message : `${error.message}.`]
}

function answer(ctx: Koa.Context, problem: Problem): void {
  ctx.vary('Accept')
  for (const name of CONTENT_FIELDS) ctx.remove(name)
  const forPeople = ctx.accepts('json', 'html') === 'html'
  const text = forPeople ? renderProblemPage(ctx, problem) : JSON.stringify(problem)
  if (forPeople) ctx.set(PAGE_FIELDS)
  const status = problem.status
  ctx.body = lingerAfter(ctx, text)
  ctx.status = status
  ctx.length = Buffer.byteLength(text)
  ctx.set('Content-Type', forPeople ? 'text/html; charset=utf-8' : PROBLEM_TYPE)
}

/** Returns the page of a problem. After a 401 the client signs in and continues with its request, unless that was a write. */
function renderProblemPage(ctx: Koa.Context, problem: Problem): string {
  if (problem.status !== 401) return renderProblem(problem)
  const target = localTarget(ctx.method === 'GET' ? ctx.url : '/')
  return renderSignIn({ target, detail: problem.detail })
}
