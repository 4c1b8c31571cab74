import type Koa from 'koa'
import type { Metrics } from './observe/metrics.ts'
import { type Slots, takeSlot } from './uploads/slots.ts'

/**
 * Answers 503 to uploads for which there is no slot, before their bodies are read or asked for: each upload in progress
 * holds buffers, a descriptor and staged bytes.
 */
export function uploadSlots(slots: Slots, metrics: Metrics): Koa.Middleware {
  return async function uploadSlots(ctx, next) {
    const release = await takeSlot(slots, ctx)
    try {
      await next()
    } catch (error) {
      metrics.failed(ctx, error)
      throw error
    } finally {
      release()
    }
  }
}
