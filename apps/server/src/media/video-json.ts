import createError from 'http-errors'
import type Koa from 'koa'
import type { StoredObject } from 'upload-store'

/** A video in the JSON of the API. */
export interface VideoJson {
  /** Absolute URL of its bytes. */
  readonly video_url: string
  readonly key: string
  readonly size: number
  readonly type: string
  /** sha-256, lower-case hex. */
  readonly digest: string
}

export function videoJson(ctx: Koa.Context, { key, size, type, digest }: StoredObject): VideoJson {
  return { video_url: `${requestOrigin(ctx)}${contentPath(key)}`, key, size, type, digest }
}

/** The path of a video's content, that of its `video_url`. */
export function contentPath(key: string): string {
  return `/get_video_by_name/${encodeURIComponent(key)}`
}

/** Answers a request that has stored a video. */
export function answerStored(ctx: Koa.Context, status: 200 | 201, object: StoredObject): void {
  ctx.status = status
  ctx.set('Location', contentPath(object.key))
  ctx.body = videoJson(ctx, object)
}

/** The 404 for a key without an object. */
export function missingVideo(key: string): Error {
  return createError(404, `There is no video ${JSON.stringify(key)}.`)
}

/** The origin of the URLs that a response contains. */
export function requestOrigin(ctx: Koa.Context): string {
  // An HTTP/1.0 client may send no Host.
  return `${ctx.protocol}://${ctx.host || `127.0.0.1:${ctx.socket.localPort}`}`
}
