import type Koa from 'koa'
import type { Metrics } from './metrics.ts'
import { type Slots, takeSlot } from './slots.ts'

/**
 * Lets as many uploads in as there are slots and answers 503 to the rest, before anything of their bodies is read or asked
 * for: each holds buffers, a descriptor and staged bytes for as long as its client likes.
 */
export function uploadSlots(slots: Slots, metrics: Metrics): Koa.Middleware {
  return async function uploadSlots(ctx, next) {
    await takeSlot(slots)
    try {
      await next()
    } catch (error) {
      metrics.failed(ctx, error)
      throw error
    } finally {
      slots.free()
    }
  }
}
