import createError from 'http-errors'
import type Koa from 'koa'

/**
 * Lets `max` uploads in at once and answers 503 to the rest, before anything of their bodies is read or asked for: each
 * holds buffers, a descriptor and staged bytes for as long as its client likes.
 */
export function uploadSlots(max: number): Koa.Middleware {
  let taken = 0
  return async function uploadSlots(_ctx, next) {
    if (taken >= max) {
      const detail = `As many uploads as this server takes at once (${max}) are running; try again soon.`
      throw createError(503, detail, { expose: true })
    }
    taken++
    try {
      await next()
    } finally {
      taken--
    }
  }
}
