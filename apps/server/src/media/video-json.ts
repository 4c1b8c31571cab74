import type Koa from 'koa'
import type { StoredObject } from 'upload-store'

/** A video as the API tells it. */
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
  return { video_url: `${originOf(ctx)}${videoPath(key)}`, key, size, type, digest }
}

export function videoPath(key: string): string {
  return `/get_video_by_name/${encodeURIComponent(key)}`
}

function originOf(ctx: Koa.Context): string {
  // An HTTP/1.0 client may send no Host.
  return `${ctx.protocol}://${ctx.host || `127.0.0.1:${ctx.socket.localPort}`}`
}
