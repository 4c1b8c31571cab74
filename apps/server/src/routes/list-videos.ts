import { createHash } from 'node:crypto'
import createError from 'http-errors'
import type Koa from 'koa'
import { LRUCache } from 'lru-cache'
import type { ListOptions, ListOrder, UploadStore } from 'upload-store'
import { queryValue } from '../http/query.ts'
import { videoJson } from '../media/video-json.ts'

const MAX_LIMIT = 1000
/** The maximum size of all pages in memory, in bytes. A page of 1,000 videos has about 300 KB. */
const MAX_KEPT = 8 * 1024 ** 2

interface Page {
  readonly json: Buffer
  readonly etag: string
}

/**
 * `GET /videos`: one page of the list, in the order of keys. Pages are kept in memory until the list changes, because the
 * web page requests the list every few seconds.
 */
export function videoList(store: UploadStore): Koa.Middleware {
  const kept = new LRUCache<string, Page>({ maxSize: MAX_KEPT, sizeCalculation: ({ json }) => json.length })
  return async function listVideos(ctx) {
    const options = listOptions(ctx)
    const revision = await store.listRevision()
    // The origin is part of each video's URL.
    const name = revision === null ? null : JSON.stringify([revision, ctx.protocol, ctx.host, options])
    const before = name === null ? undefined : kept.get(name)
    // Built after the revision was taken: if the list changes meanwhile, the next request gets another revision.
    const page = before ?? (await buildPage(ctx, store, options))
    if (name !== null && before === undefined) kept.set(name, page)
    ctx.set('ETag', page.etag)
    ctx.set('Cache-Control', 'no-cache')
    ctx.status = 200
    if (ctx.fresh) {
      ctx.status = 304
      return
    }
    ctx.type = 'json'
    ctx.body = page.json
  }
}

async function buildPage(ctx: Koa.Context, store: UploadStore, options: ListOptions): Promise<Page> {
  const { items, cursor, total } = await store.list(options)
  const rows = items.map((object) => ({
    ...videoJson(ctx, object),
    created: new Date(object.lastModified).toISOString(),
    metadata: object.metadata,
  }))
  const json = Buffer.from(JSON.stringify({ items: rows, cursor, total }))
  return { json, etag: `"${createHash('sha256').update(json).digest('base64url')}"` }
}

/** @throws 400 */
function listOptions(ctx: Koa.Context): ListOptions {
  return {
    prefix: queryValue(ctx, 'prefix'),
    contains: queryValue(ctx, 'contains'),
    order: parseOrder(queryValue(ctx, 'order')),
    companions: parseFlag('companions', queryValue(ctx, 'companions')),
    cursor: queryValue(ctx, 'cursor'),
    limit: parseLimit(queryValue(ctx, 'limit') ?? '50'),
  }
}

const ORDERS: readonly ListOrder[] = ['key', 'name', 'newest', 'largest']

function parseOrder(text: string | undefined): ListOrder | undefined {
  const order = ORDERS.find((each) => each === text)
  if (text !== undefined && order === undefined)
    throw createError(400, `order=${text} is not an order. Use one of ${ORDERS.join(', ')}.`)
  return order
}

function parseFlag(name: string, text = '0'): boolean {
  if (text !== '0' && text !== '1') throw createError(400, `${name}=${text} is neither 0 nor 1. Use 0 or 1.`)
  return text === '1'
}

function parseLimit(text: string): number {
  const limit = Number(text)
  if (!/^\d+$/.test(text) || limit < 1)
    throw createError(400, `limit=${text} is not a number from 1 to ${MAX_LIMIT}.`)
  return Math.min(limit, MAX_LIMIT)
}
