import type Koa from 'koa'
import { resumableUpload, type UploadTarget } from 'koa-resumable-upload'
import { sanitizeKey, type UploadStore } from 'upload-store'
import type { Config } from '../config/config.ts'
import { matchRoute, pathParameter, type RoutePattern } from '../http/route-table.ts'
import type { Metrics } from '../observe/metrics.ts'
import { objectBeforeUpload } from '../uploads/current-object.ts'
import { uploadName } from '../uploads/file-name.ts'
import { refuseContentRange, refuseEncoded } from '../uploads/refusals.ts'
import type { Slots } from '../uploads/slots.ts'
import { clientGroup, clientMetadata } from '../uploads/upload-client.ts'
import { writeConditions } from '../uploads/write-conditions.ts'
import { resumableOptions } from './resumable-options.ts'

/** The routes that create an upload if the request has Upload-Complete, and their methods. */
const CREATED_BY: Readonly<Partial<Record<RoutePattern, 'POST' | 'PUT'>>> = {
  '/uploads': 'POST',
  '/video': 'POST',
  '/videos/:key': 'PUT',
}

/** Creates resumable uploads on the routes of `CREATED_BY`, and resumes them at `/uploads/:id`. */
export function resumable(
  config: Config,
  store: UploadStore,
  slots: Slots,
  metrics: Metrics,
): Koa.Middleware {
  return resumableUpload(store, {
    ...resumableOptions(config, store, slots, metrics),
    resolveTarget: (ctx) => uploadTarget(ctx, store),
  })
}

async function uploadTarget(ctx: Koa.Context, store: UploadStore): Promise<UploadTarget | null> {
  const { method, path } = ctx
  const pattern = matchRoute(path)?.pattern
  const created = pattern === undefined ? undefined : CREATED_BY[pattern]
  if (created === undefined || (method !== created && method !== 'OPTIONS')) return null
  const type = ctx.get('Content-Type') || undefined
  refuseContentRange(ctx)
  refuseEncoded(ctx)
  if (created === 'POST')
    return {
      key: sanitizeKey(uploadName(ctx.headers)),
      type,
      metadata: { ...clientMetadata(clientGroup(ctx)), 'server.way': 'post' },
    }
  const key = pathParameter(path)
  if (method === 'OPTIONS') return { key }
  const current = await objectBeforeUpload(ctx, store, key)
  const { ifMatch, ifNoneMatch } = writeConditions(ctx, current)
  const conditions = {
    ...(ifMatch === undefined ? {} : { 'server.ifMatch': ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { 'server.ifNoneMatch': ifNoneMatch }),
  }
  const client = clientMetadata(clientGroup(ctx))
  const way = { 'server.way': 'put', 'server.replaces': current !== null }
  return { key, type, metadata: { ...client, ...way, ...conditions } }
}
