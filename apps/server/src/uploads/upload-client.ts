import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import type Koa from 'koa'
import type { UploadMeta } from 'upload-store'
import { clientNetwork } from '../http/client-address.ts'

/** Where the client's group is kept with an upload, so that it is known after a restart. */
export const CLIENT = 'server.client'

const current = new AsyncLocalStorage<string>()

/**
 * Returns the group of addresses that a client belongs to: 16 bits of a hash. It is stored with unfinished uploads, so it
 * must not identify a person; one group has 65,536 addresses of IPv4, and two clients rarely share one.
 */
function groupOf(ctx: Koa.Context): string {
  return createHash('sha256').update(clientNetwork(ctx)).digest('hex').slice(0, 4)
}

/** Runs `middleware` so that `currentClient` knows the client whose request creates an upload. */
export function withClient(middleware: Koa.Middleware): Koa.Middleware {
  return function withClient(ctx, next) {
    if (ctx.method !== 'POST' && ctx.method !== 'PUT') return middleware(ctx, next)
    return current.run(groupOf(ctx), () => middleware(ctx, next))
  }
}

/** The group of the client that created an upload. */
export function clientOf(meta: UploadMeta): string {
  return String(meta[CLIENT] ?? '')
}

/** The group of the client whose request is being handled. */
export function currentClient(): string {
  return current.getStore() ?? ''
}
