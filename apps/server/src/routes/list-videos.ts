import { createHash } from 'node:crypto'
import createError from 'http-errors'
import type Koa from 'koa'
import type { UploadStore } from 'upload-store'
import { queryValue } from '../http/query.ts'
import { videoJson } from '../media/video-json.ts'

const MAX_LIMIT = 1000

/** `GET /videos`: one page of the list, in the order of keys. */
export async function listVideos(ctx: Koa.Context, store: UploadStore): Promise<void> {
  const { items, cursor } = await store.list({
    prefix: queryValue(ctx, 'prefix'),
    cursor: queryValue(ctx, 'cursor'),
    limit: parseLimit(queryValue(ctx, 'limit') ?? '50'),
  })
  const rows = items.map((object) => ({
    ...videoJson(ctx, object),
    created: new Date(object.lastModified).toISOString(),
  }))
  const text = JSON.stringify({ items: rows, cursor })
  // The page requests the list every few seconds, and an unchanged list is a 304.
  ctx.set('ETag', `"${createHash('sha256').update(text).digest('base64url')}"`)
  ctx.set('Cache-Control', 'no-cache')
  ctx.type = 'json'
  ctx.body = text
}

/** @throws 400 */
function parseLimit(text: string): number {
  const limit = Number(text)
  if (!/^\d+$/.test(text) || limit < 1)
    throw createError(400, `limit=${text} is not a number from 1 to ${MAX_LIMIT}.`)
  return Math.min(limit, MAX_LIMIT)
}
