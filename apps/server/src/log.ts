import type Koa from 'koa'
import { type Logger, pino } from 'pino'
import { isAbort } from './abort.ts'
import type { Config } from './config.ts'

/** Logs go to standard error; standard output is for the URL. */
export function createLogger({ logLevel }: Config): Logger {
  // A parse error carries the packet, and with it whatever credentials the client sent.
  const err = ({ name, message, stack, code, cause }: Error & { code?: string }) => ({
    name,
    message,
    code,
    // Why a store cannot be reached.
    cause: cause instanceof Error ? cause.message || cause.name : undefined,
    stack,
  })
  const options = { level: logLevel, base: null, serializers: { err } }
  return pino(options, pino.destination({ dest: 2, sync: true }))
}

/** One line a request, when its response has ended or its client has gone. */
export function logRequests(logger: Logger): Koa.Middleware {
  return async function logRequests(ctx, next) {
    const started = performance.now()
    ctx.res.once('close', () => {
      const line = {
        method: ctx.method,
        path: ctx.path,
        status: ctx.res.headersSent ? ctx.res.statusCode : undefined,
        range: ctx.get('Range') || undefined,
        ms: Math.round(performance.now() - started),
      }
      if (ctx.res.writableFinished) logger.info(line, 'request')
      // A player that seeks goes away in mid-response: no failure of anybody.
      else logger.debug(line, 'aborted')
    })
    await next()
  }
}

/** Koa reports a client that went away as an error, up to twice; only the rest is one. */
export function logErrors(logger: Logger): (error: Error, ctx?: Koa.Context) => void {
  return (error, ctx) => {
    if (ctx !== undefined && isAbort(ctx, error)) logger.debug({ reason: error.message }, 'client went away')
    else logger.error({ err: error }, error.message)
  }
}
