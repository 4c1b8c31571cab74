import { randomUUID } from 'node:crypto'
import type Koa from 'koa'
import { tusMethodOverride } from 'koa-resumable-upload'
import type { Logger } from 'pino'
import { closeAfterUnreadBody } from '../http/unread-body.ts'
import type { Metrics } from './metrics.ts'
import { isAnswered } from './request-counts.ts'
import type { RequestTracer } from './trace-requests.ts'

export interface Observers {
  readonly logger: Logger
  readonly metrics: Metrics
  readonly traceRequest: RequestTracer
}

/**
 * Gives each request its id, and logs, counts and traces it. This is one layer with one listener for the end of the response,
 * because each further layer and listener costs every request more than the work that is done in it.
 */
export function observeRequests(
  trustProxy: boolean,
  { logger, metrics, traceRequest }: Observers,
): Koa.Middleware {
  const { requests } = metrics
  const logs = logger.isLevelEnabled('info')
  const overrideMethod = tusMethodOverride('/files')
  function observe(ctx: Koa.Context, next: Koa.Next): Promise<unknown> {
    const started = performance.now()
    const { req, res } = ctx
    const id = newRequestId(trustProxy ? ctx.get('X-Request-Id') : '')
    ctx.state['requestId'] = id
    res.setHeader('X-Request-Id', id)
    // A connection that is closed has no address any more.
    const ip = logs ? ctx.ip : ''
    res.once('close', () => {
      const ms = performance.now() - started
      requests.count(ctx, ms)
      if (logs) logRequest(logger, ctx, ip, ms)
    })
    let answered: Promise<unknown> = next()
    if (mayHaveBody(req)) answered = answered.then(() => closeAfterUnreadBody(ctx))
    if (req.url?.includes('view=')) answered = answered.then(() => traceRequest(ctx))
    return answered
  }
  // First, so that the log, the counts and every check see the effective method.
  return function observeRequests(ctx, next) {
    const isOverridden = ctx.req.headers['x-http-method-override'] !== undefined
    return isOverridden
      ? overrideMethod(ctx, async () => void (await observe(ctx, next)))
      : observe(ctx, next)
  }
}

/** Returns the id that a proxy has given the request, or a new one: for its log lines, and for its client to ask about it. */
function newRequestId(given: string): string {
  return /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID()
}

export function requestId(ctx: Koa.Context | undefined): string | undefined {
  return ctx?.state['requestId']
}

/** Returns false only if the request certainly has no body (RFC 9112 §6.3). */
function mayHaveBody({ headers, httpVersion }: Koa.Context['req']): boolean {
  return (
    httpVersion !== '1.1' ||
    headers['content-length'] !== undefined ||
    headers['transfer-encoding'] !== undefined
  )
}

function logRequest(logger: Logger, ctx: Koa.Context, ip: string, ms: number): void {
  const { res } = ctx
  const line = {
    id: requestId(ctx),
    ip,
    method: ctx.method,
    path: ctx.path,
    status: res.headersSent ? res.statusCode : undefined,
    range: ctx.req.headers.range || undefined,
    ms: Math.round(ms),
  }
  // A player aborts its last response at each seek, so this is not a failure.
  logger.info(line, isAnswered(res) ? 'request' : 'aborted')
}
