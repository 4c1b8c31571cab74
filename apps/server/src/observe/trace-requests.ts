import createError from 'http-errors'
import type Koa from 'koa'
import { http2StreamOf } from '../http/http2-stream.ts'
import { queryValue } from '../http/query.ts'
import { matchRoute, type RoutePattern } from '../http/route-table.ts'
import type { RequestViews, SeenRequest } from './traces.ts'

/** Random and long enough that nobody finds another's. */
const VIEW = /^[\w-]{22,64}$/
const VIDEOS: ReadonlySet<RoutePattern> = new Set(['/get_video_by_name/:video_name', '/videos/:key'])
/** Characters of a field that are worth showing. */
const MOST = 100

/** Takes down requests for videos whose URL has `?view=`; outside of what makes a 304 or a problem of an answer. */
export function seeRequests(views: RequestViews): Koa.Middleware {
  let count = 0
  return async function seeRequests(ctx, next) {
    await next()
    const pattern = matchRoute(ctx.path)?.pattern
    const view = pattern !== undefined && VIDEOS.has(pattern) ? queryValue(ctx, 'view') : undefined
    if (view === undefined || !VIEW.test(view)) return
    const seen: SeenRequest = {
      id: `${process.pid}-${++count}`,
      time: new Date().toISOString(),
      method: ctx.method,
      status: ctx.status,
      range: ctx.get('Range').slice(0, MOST) || null,
      contentRange: ctx.response.get('Content-Range') || null,
      state: 'sending',
      sent: null,
    }
    const sent = counterOf(ctx)
    views.put(view, seen)
    ctx.res.once('close', () => {
      const state = ctx.res.writableFinished ? 'sent' : 'stopped'
      views.put(view, { ...seen, state, sent: sent(state) })
    })
  }
}

/** A connection of HTTP/2 carries other answers as well, so that only of a whole one the bytes are known. */
function counterOf(ctx: Koa.Context): (state: SeenRequest['state']) => number | null {
  if (http2StreamOf(ctx) !== null) {
    const length = ctx.length ?? 0
    return (state) => (state === 'sent' ? length : null)
  }
  const { socket } = ctx
  const before = socket.bytesWritten
  return () => socket.bytesWritten - before
}

/** `GET /requests?view=`: what `seeRequests` has taken down. */
export function listRequests(ctx: Koa.Context, views: RequestViews): void {
  const view = queryValue(ctx, 'view') ?? ''
  if (!VIEW.test(view))
    throw createError(
      400,
      'view= is to be what the URLs of the videos have: 22 to 64 characters of base64url.',
    )
  ctx.set('Cache-Control', 'no-store')
  ctx.body = { requests: views.list(view) }
}
