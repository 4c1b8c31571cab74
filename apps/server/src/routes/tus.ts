import createError from 'http-errors'
import type Koa from 'koa'
import { tusUpload } from 'koa-resumable-upload'
import { sanitizeKey, type UploadStore } from 'upload-store'
import type { Config } from '../config/config.ts'
import { seeOther } from '../http/redirect.ts'
import { contentPath } from '../media/video-json.ts'
import { clientGroup, clientMetadata } from '../uploads/upload-client.ts'
import { type ResumableParts, resumableOptions } from './resumable-options.ts'

/** Uploads by tus 1.0: `POST /files`, and `HEAD`, `PATCH`, `DELETE` of `/files/:id`. */
export function tus(config: Config, store: UploadStore, parts: ResumableParts): Koa.Middleware {
  return tusUpload(store, {
    ...resumableOptions(config, store, parts),
    partMetadata: (ctx) => clientMetadata(clientGroup(ctx)),
    resolveTarget: (ctx, { metadata }) => ({
      key: sanitizeKey(metadata['filename'] ?? ''),
      metadata: clientMetadata(clientGroup(ctx)),
    }),
  })
}

/** Leads a client that has only the URL of its upload to the video that the upload became. */
export async function redirectUpload(ctx: Koa.Context, store: UploadStore, id: string): Promise<void> {
  const object = (await store.getUpload(id))?.committed
  if (!object) throw createError(404, 'There is no completed upload of this name, or its record has expired.')
  seeOther(ctx, contentPath(object.key))
}
