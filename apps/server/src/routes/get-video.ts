import type Koa from 'koa'
import { serveContent } from 'koa-range-stream'
import { StoreError, type UploadStore } from 'upload-store'
import type { Config } from '../config/config.ts'
import { queryValue } from '../http/query.ts'
import { isInline } from '../media/media-type.ts'
import { reprDigest, wantsSha256 } from '../media/repr-digest.ts'
import { missingVideo } from '../media/video-json.ts'
import { redirectUrl, sendElsewhere } from './redirect-video.ts'

/** How often a video is looked up again if it is replaced while it is opened. */
const ATTEMPTS = 3

/**
 * Stored bytes come from strangers: wherever a browser opens them, nothing in them runs. Without allow-same-origin
 * Chromium's own media document counts as another site, and may not load the video that it is the document of.
 */
const SANDBOX = "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox allow-same-origin"

/** Answers with the bytes of the video under `key`, as a download where the client or the type asks for that. */
export async function sendVideo(
  ctx: Koa.Context,
  store: UploadStore,
  key: string,
  config: Config,
): Promise<void> {
  const { cacheControl, corsOrigin } = config
  for (let attempt = 1; ; attempt++) {
    const content = await store.get(key)
    if (content === null) throw missingVideo(key)
    const inline = isInline(content.type) && queryValue(ctx, 'download') === undefined
    const disposition = inline ? 'inline' : 'attachment'
    const url = await redirectUrl(ctx, content, disposition, config)
    if (url !== null) return sendElsewhere(ctx, url)
    try {
      return await serveContent(ctx, content, {
        cacheControl,
        disposition,
        setHeaders: () => {
          ctx.set({
            'Content-Security-Policy': SANDBOX,
            'Cross-Origin-Resource-Policy': corsOrigin.length === 0 ? 'same-site' : 'cross-origin',
          })
          if (wantsSha256(ctx.get('Want-Repr-Digest')) !== false)
            ctx.set('Repr-Digest', reprDigest(content.digest))
        },
      })
    } catch (error) {
      const replaced = error instanceof StoreError && error.code === 'NOT_FOUND'
      if (!replaced || attempt === ATTEMPTS) throw error
    }
  }
}
