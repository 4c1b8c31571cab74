import { createHash } from 'node:crypto'
import type Koa from 'koa'
import type { UploadMetadata } from 'upload-store'
import { clientNetwork } from '../http/client-address.ts'

/** The name under which an upload keeps the group of its client, so that it is known after a restart. */
const CLIENT = 'server.client'

/**
 * Returns the group of addresses that a client belongs to: 16 bits of a hash. It is stored with unfinished uploads, so it
 * must not identify a person; one group has 65,536 addresses of IPv4, and two clients rarely share one.
 */
export function clientGroup(ctx: Pick<Koa.Context, 'ip' | 'socket'>): string {
  return createHash('sha256').update(clientNetwork(ctx)).digest('hex').slice(0, 4)
}

/** Returns the entry of an upload's metadata that names the group of the client that creates it. */
export function clientMetadata(group: string): UploadMetadata {
  return { [CLIENT]: group }
}

/** Returns the group of the client that created an upload; empty for an upload of an earlier version. */
export function uploadClient(metadata: UploadMetadata): string {
  return String(metadata[CLIENT] ?? '')
}
