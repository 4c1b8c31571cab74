import type Koa from 'koa'
import { type FileStream, isServersOwn } from './file/file-stream.ts'

/** The action of a response, for both builds of this package; the number changes with its form. */
const ACTION: unique symbol = Symbol.for('koa-range-stream/after-middleware/1')

type Context = Koa.Context & { [ACTION]?: () => void }

type Middleware = (ctx: Context) => Promise<void>

/**
 * Sends the body to the response after all middleware have run, in place of Koa 3, whose `pipeline` takes longer than
 * all the rest of the response. Koa sends it if middleware upstream has replaced anything, and in the first response of
 * an app.
 */
export function sendAfterMiddleware(ctx: Context, body: FileStream): void {
  // Koa 2 listens for the errors of a body when it is set. It has no pipeline to save.
  if (body.listenerCount('error') > 1) return
  callActions(ctx.app)
  const { status } = ctx
  ctx[ACTION] = () => {
    const { res } = ctx
    if (ctx.body !== body || ctx.status !== status || ctx.method !== 'GET' || isUsed(body)) return
    if (ctx.headerSent || !ctx.writable || ctx.respond === false || !isServersOwn(res)) return
    ctx.respond = false
    body.once('error', (error) => ctx.onerror(error))
    body.sendTo(res)
  }
}

/** Whether other code reads the body, or waits for its end. */
function isUsed(body: FileStream): boolean {
  return !body.isUntouched() || body.listenerCount('end') > 0
}

/**
 * Has an app call the actions of its next requests when their middleware have run. An accessor on `ctx.respond`, which
 * Koa reads then, could not know that: any middleware may read it earlier.
 */
function callActions(app: object): void {
  const handleRequest: unknown = Reflect.get(app, 'handleRequest')
  if (typeof handleRequest !== 'function' || Object.hasOwn(handleRequest, ACTION)) return
  const handleWithAction = function (this: unknown, ctx: Context, middleware: Middleware): unknown {
    const act = () => ctx[ACTION]?.()
    return Reflect.apply(handleRequest, this, [ctx, (same: Context) => middleware(same).then(act)])
  }
  Reflect.set(app, 'handleRequest', Object.assign(handleWithAction, { [ACTION]: true }))
}
