import createError from 'http-errors'
import type Koa from 'koa'
import { http2Stream } from 'koa-resumable-upload/http'
import { queryValue } from '../http/query.ts'
import { matchRoute, type RoutePattern } from '../http/route-table.ts'
import type { TracedRequest } from '../shared/traced-request.ts'
import type { RequestTraces } from './traces.ts'

/** Long enough that no client finds another's by trying. */
const VIEW = /^[\w-]{22,64}$/
const VIDEOS: ReadonlySet<RoutePattern> = new Set(['/get_video_by_name/:video_name', '/videos/:key'])
/** Characters of a field that are worth showing. */
const MAX_FIELD = 100

/** Records a request for a video whose URL has `?view=`. Call it when the response is decided. */
export type RequestTracer = (ctx: Koa.Context) => void

export function requestTracer(traces: RequestTraces): RequestTracer {
  let count = 0
  return (ctx) => {
    const pattern = matchRoute(ctx.path)?.pattern
    const view = pattern !== undefined && VIDEOS.has(pattern) ? queryValue(ctx, 'view') : undefined
    if (view === undefined || !VIEW.test(view)) return
    const traced: TracedRequest = {
      id: `${process.pid}-${++count}`,
      time: new Date().toISOString(),
      method: ctx.method,
      status: ctx.status,
      range: ctx.get('Range').slice(0, MAX_FIELD) || null,
      contentRange: ctx.response.get('Content-Range') || null,
      state: 'sending',
      sent: null,
    }
    const sent = sentCounter(ctx)
    traces.put(view, traced)
    ctx.res.once('close', () => {
      const state = ctx.res.writableFinished ? 'sent' : 'stopped'
      traces.put(view, { ...traced, state, sent: sent(state) })
    })
  }
}

/**
 * Returns a function that counts the sent bytes. An HTTP/2 connection carries other responses too, so only a whole
 * response is counted.
 */
function sentCounter(ctx: Koa.Context): (state: TracedRequest['state']) => number | null {
  if (http2Stream(ctx) !== null) {
    const length = ctx.length ?? 0
    return (state) => (state === 'sent' ? length : null)
  }
  const { socket } = ctx
  const before = socket.bytesWritten
  return () => socket.bytesWritten - before
}

/** `GET /requests?view=`: the requests that `requestTracer` has recorded. */
export function listRequests(ctx: Koa.Context, traces: RequestTraces): void {
  const view = queryValue(ctx, 'view') ?? ''
  if (!VIEW.test(view))
    throw createError(
      400,
      'view= needs 22 to 64 characters of base64url. Send the value that the URLs of the videos have.',
    )
  ctx.set('Cache-Control', 'no-store')
  ctx.body = { requests: traces.list(view) }
}
