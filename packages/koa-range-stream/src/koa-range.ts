import type Koa from 'koa'
import { rangeStream } from './range-stream.ts'

const serveRanges = rangeStream()

/**
 * `rangeStream()` with its defaults, as a middleware that needs no call: koa-range is mounted as `app.use(range)`.
 *
 * @example
 * const range = require('koa-range-stream') // in place of require('koa-range')
 * app.use(range)
 */
const koaRange: Koa.Middleware = (ctx, next) => serveRanges(ctx, next)

export default koaRange
