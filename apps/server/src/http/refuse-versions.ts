import createError from 'http-errors'
import type Koa from 'koa'
import { isHttp2 } from './http2-stream.ts'

const VERSIONS: ReadonlySet<string> = new Set(['1.0', '1.1'])

/**
 * Answers 505 to the versions that Node's parser accepts in the request line of HTTP/1 and does not speak there. Node
 * exempts them from the rules of HTTP/1.1, for one from the Host field.
 */
export function refuseVersions(): Koa.Middleware {
  return async function refuseVersions(ctx, next) {
    const { httpVersion } = ctx.req
    if (!isHttp2(ctx.req) && !VERSIONS.has(httpVersion)) {
      ctx.set('Connection', 'close')
      const detail = `This connection uses HTTP/1.1; the request line says HTTP/${httpVersion}.`
      throw createError(505, detail, { expose: true })
    }
    await next()
  }
}
