import createError from 'http-errors'
import type Koa from 'koa'
import { clientNetwork } from '../http/client-address.ts'
import type { Metrics } from '../observe/metrics.ts'
import { ClientShares, type Grant } from './client-shares.ts'

/** Limits how many uploads are received at a time, in all and for each client. */
export interface Slots {
  take(client: string): Grant | Promise<Grant>
  /** Releases a slot that `take` granted to `client`. */
  free(client: string): void
}

/** Slots of a server that is one process. */
export function countSlots(max: number): Slots {
  const shares = new ClientShares(max)
  return { take: (client) => shares.take(client), free: (client) => shares.remove(client) }
}

/** Returns `slots` whose use `metrics` counts. */
export function meteredSlots(slots: Slots, metrics: Metrics): Slots {
  return {
    take: async (client) => {
      const grant = await slots.take(client)
      if (grant === 'granted') metrics.receiving()
      return grant
    },
    free: (client) => {
      metrics.received()
      slots.free(client)
    },
  }
}

/**
 * Answers 503 to uploads for which no slot is free, before their bodies are read or asked for: each upload in progress
 * holds buffers, a descriptor and staged bytes.
 */
export function limitUploads(slots: Slots, metrics: Metrics): Koa.Middleware {
  return async function limitUploads(ctx, next) {
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

/**
 * Takes a slot for the request's client and returns the function that releases it.
 *
 * @throws 503 if no slot is left, in all or for this client
 */
async function takeSlot(slots: Slots, ctx: Koa.Context): Promise<() => void> {
  const client = clientNetwork(ctx)
  const grant = await slots.take(client)
  if (grant === 'granted') return () => slots.free(client)
  const detail =
    grant === 'all-used'
      ? 'This server has reached its limit of simultaneous uploads. Try again soon.'
      : 'Your address has reached its limit of simultaneous uploads. Try again when one of them has ended.'
  throw createError(503, detail, { expose: true })
}
