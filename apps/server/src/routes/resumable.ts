import type Koa from 'koa'
import { resumableUpload, type UploadTarget } from 'koa-resumable-upload'
import { sanitizeKey, type UploadMetadata, type UploadStore } from 'upload-store'
import type { Config } from '../config/config.ts'
import { queryValue } from '../http/query.ts'
import { matchRoute, pathParameter, type RoutePattern } from '../http/route-table.ts'
import { objectBeforeUpload } from '../uploads/current-object.ts'
import { uploadName } from '../uploads/file-name.ts'
import { refuseContentRange, refuseEncoded } from '../uploads/refusals.ts'
import { clientGroup, clientMetadata } from '../uploads/upload-client.ts'
import { writeConditions } from '../uploads/write-conditions.ts'
import { type ResumableParts, resumableOptions } from './resumable-options.ts'

/** The routes that create an upload if the request has Upload-Complete, and their methods. */
const CREATED_BY: Readonly<Partial<Record<RoutePattern, 'POST' | 'PUT'>>> = {
  '/uploads': 'POST',
  '/video': 'POST',
  '/videos/:key': 'PUT',
}

/** Creates resumable uploads on the routes of `CREATED_BY`, and resumes them at `/uploads/:id`. */
export function resumable(config: Config, store: UploadStore, parts: ResumableParts): Koa.Middleware {
  const { onCreate, ...options } = resumableOptions(config, store, parts)
  return resumableUpload(store, {
    ...options,
    resolveTarget: (ctx) => uploadTarget(ctx),
    // `onCreate` may rename the upload, so preconditions are evaluated afterwards.
    onCreate: async (ctx, upload) => {
      const changes = await onCreate?.(ctx, upload)
      if (ctx.method !== 'PUT') return changes
      const { key = upload.key, metadata = upload.metadata } = changes ?? {}
      return { ...changes, metadata: { ...metadata, ...(await putConditions(ctx, store, key)) } }
    },
  })
}

function uploadTarget(ctx: Koa.Context): UploadTarget | null {
  const { method, path } = ctx
  const pattern = matchRoute(path)?.pattern
  const created = pattern === undefined ? undefined : CREATED_BY[pattern]
  if (created === undefined || (method !== created && method !== 'OPTIONS')) return null
  const type = ctx.get('Content-Type') || undefined
  refuseContentRange(ctx)
  refuseEncoded(ctx)
  const client = clientMetadata(clientGroup(ctx))
  if (created === 'POST')
    return {
      key: sanitizeKey(uploadName(ctx.headers)),
      type,
      metadata: { ...client, 'server.way': 'post', ...durationOf(ctx) },
    }
  const key = pathParameter(path)
  return method === 'OPTIONS' ? { key } : { key, type, metadata: { ...client, 'server.way': 'put' } }
}

/** The page, which knows how long a video is before it sends it, adds `?duration=` in seconds. */
function durationOf(ctx: Koa.Context): UploadMetadata {
  const text = queryValue(ctx, 'duration') ?? ''
  return /^\d{1,6}(?:\.\d{1,3})?$/.test(text) ? { duration: Number(text) } : {}
}

/** Evaluates the preconditions of a PUT, and returns the entries of its metadata by which `commit` checks them again. */
async function putConditions(ctx: Koa.Context, store: UploadStore, key: string): Promise<UploadMetadata> {
  const current = await objectBeforeUpload(ctx, store, key)
  const { ifMatch, ifNoneMatch } = writeConditions(ctx, current)
  return {
    'server.replaces': current !== null,
    ...(ifMatch === undefined ? {} : { 'server.ifMatch': ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { 'server.ifNoneMatch': ifNoneMatch }),
  }
}
