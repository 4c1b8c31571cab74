import type Koa from 'koa'
import { type Content, serveContent } from 'koa-range-stream'
import { formatReprDigest, wantsSha256 } from 'koa-resumable-upload/http'
import type { ResponsePlan } from 'range-core'
import { type StoredContent, StoreError, type UploadStore } from 'upload-store'
import type { Config } from '../config/config.ts'
import { contentDisposition } from '../http/content-disposition.ts'
import { queryValue } from '../http/query.ts'
import { pathParameter } from '../http/route-table.ts'
import { isInline } from '../media/detect-type.ts'
import { missingVideo } from '../media/video-json.ts'
import { redirectUrl, sendElsewhere } from './redirect-video.ts'

/** How often a video is looked up again if it is replaced while it is opened. */
const ATTEMPTS = 3

/**
 * Stored bytes come from strangers: wherever a browser opens them, nothing in them runs. Without allow-same-origin
 * Chromium's own media document counts as another site, and may not load the video that it is the document of.
 */
const SANDBOX = "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox allow-same-origin"

/**
 * Returns a handler that answers with the bytes of the video that the path names, as a download if the client or the type asks
 * for that.
 */
export function sendVideo(store: UploadStore, config: Config): Koa.Middleware {
  return async function sendVideo(ctx) {
    const key = pathParameter(ctx.path)
    for (let attempt = 1; ; attempt++) {
      const content = await store.get(key)
      if (content === null) throw missingVideo(key)
      try {
        return await send(ctx, content, config)
      } catch (error) {
        const replaced = error instanceof StoreError && error.code === 'NOT_FOUND'
        if (!replaced || attempt === ATTEMPTS) throw error
      }
    }
  }
}

function send(ctx: Koa.Context, content: StoredContent, config: Config): Promise<void> {
  const isDownload = ctx.querystring !== '' && queryValue(ctx, 'download') !== undefined
  return config.redirect === undefined
    ? serve(ctx, content, isDownload, config)
    : redirectOrServe(ctx, content, isDownload, config)
}

async function redirectOrServe(
  ctx: Koa.Context,
  content: StoredContent,
  isDownload: boolean,
  config: Config,
): Promise<void> {
  const disposition = isDownload || !isInline(content.type) ? 'attachment' : 'inline'
  const url = await redirectUrl(ctx, content, disposition, config)
  if (url === null) return serve(ctx, content, isDownload, config)
  sendElsewhere(ctx, url)
}

function serve(
  ctx: Koa.Context,
  content: StoredContent,
  isDownload: boolean,
  { cacheControl, corsOrigin }: Config,
): Promise<void> {
  const resourcePolicy = corsOrigin.length === 0 ? 'same-site' : 'cross-origin'
  const setHeaders = ({ req, res }: Koa.Context, _content: Content, kind: ResponsePlan['kind']) => {
    res.setHeader('Content-Security-Policy', SANDBOX)
    res.setHeader('Cross-Origin-Resource-Policy', resourcePolicy)
    // A 304 has no fields that describe content (RFC 9110 §15.4.5).
    if (kind === 'not-modified') return
    const { disposition, download, digest } = objectFields(content)
    res.setHeader('Content-Disposition', isDownload ? download : disposition)
    const wanted = req.headers['want-repr-digest']
    if (wanted === undefined || wantsSha256(String(wanted)) !== false) res.setHeader('Repr-Digest', digest)
  }
  return serveContent(ctx, content, { cacheControl, setHeaders })
}

/** The values of header fields that depend on the object alone. */
interface ObjectFields {
  /** Content-Disposition as the media type demands it. */
  readonly disposition: string
  /** Content-Disposition of a download. */
  readonly download: string
  /** Repr-Digest. */
  readonly digest: string
}

/** The store returns the same object until its key is written again, so its fields are computed once. */
const computedFields = new WeakMap<StoredContent, ObjectFields>()

function objectFields(content: StoredContent): ObjectFields {
  const known = computedFields.get(content)
  if (known !== undefined) return known
  const download = contentDisposition(content.key, 'attachment')
  const fields = {
    disposition: isInline(content.type) ? contentDisposition(content.key, 'inline') : download,
    download,
    digest: formatReprDigest(content.digest),
  }
  computedFields.set(content, fields)
  return fields
}
