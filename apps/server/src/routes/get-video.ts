import type Koa from 'koa'
import { serveContent } from 'koa-range-stream'
import { formatReprDigest, wantsSha256 } from 'koa-resumable-upload/http'
import { type StoredContent, StoreError, type UploadStore } from 'upload-store'
import type { Config } from '../config/config.ts'
import { queryValue } from '../http/query.ts'
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

/** Answers with the bytes of the video under `key`, as a download if the client or the type asks for that. */
export async function sendVideo(
  ctx: Koa.Context,
  store: UploadStore,
  key: string,
  config: Config,
): Promise<void> {
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

type Disposition = 'inline' | 'attachment'

function send(ctx: Koa.Context, content: StoredContent, config: Config): Promise<void> {
  const isDownload = queryValue(ctx, 'download') !== undefined || !isInline(content.type)
  const disposition = isDownload ? 'attachment' : 'inline'
  return config.redirect === undefined
    ? serve(ctx, content, disposition, config)
    : redirectOrServe(ctx, content, disposition, config)
}

async function redirectOrServe(
  ctx: Koa.Context,
  content: StoredContent,
  disposition: Disposition,
  config: Config,
): Promise<void> {
  const url = await redirectUrl(ctx, content, disposition, config)
  if (url === null) return serve(ctx, content, disposition, config)
  sendElsewhere(ctx, url)
}

function serve(
  ctx: Koa.Context,
  content: StoredContent,
  disposition: Disposition,
  { cacheControl, corsOrigin }: Config,
): Promise<void> {
  const setHeaders = () => setFields(ctx, content, corsOrigin.length === 0 ? 'same-site' : 'cross-origin')
  return serveContent(ctx, content, { cacheControl, disposition, setHeaders })
}

function setFields({ req, res }: Koa.Context, content: StoredContent, resourcePolicy: string): void {
  res.setHeader('Content-Security-Policy', SANDBOX)
  res.setHeader('Cross-Origin-Resource-Policy', resourcePolicy)
  const wanted = req.headers['want-repr-digest']
  if (wanted === undefined || wantsSha256(String(wanted)) !== false)
    res.setHeader('Repr-Digest', digestField(content))
}

/** The store returns the same object until its key is written again. */
const digestFields = new WeakMap<StoredContent, string>()

function digestField(content: StoredContent): string {
  let field = digestFields.get(content)
  if (field === undefined) {
    field = formatReprDigest(content.digest)
    digestFields.set(content, field)
  }
  return field
}
