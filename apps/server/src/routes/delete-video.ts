import type Koa from 'koa'
import type { UploadStore } from 'upload-store'
import { pathParameter } from '../http/route-table.ts'
import { missingVideo } from '../media/video-json.ts'
import { findObject } from '../uploads/current-object.ts'
import { writeConditions } from '../uploads/write-conditions.ts'

/** `DELETE /videos/:key`: deletes the video if the request's preconditions hold. */
export async function deleteVideo(ctx: Koa.Context, store: UploadStore): Promise<void> {
  const key = pathParameter(ctx.path)
  const found = await findObject(store, key)
  // Without preconditions the response would be 404, so they are not evaluated (RFC 9110 §13.2.1).
  if (found === null) throw missingVideo(key)
  const { ifMatch } = writeConditions(ctx, found === 'damaged' ? null : found)
  if (!(await store.delete(key, { ifMatch }))) throw missingVideo(key)
  ctx.status = 204
}
