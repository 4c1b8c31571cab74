import type Koa from 'koa'
import { canRedirect } from 'range-core'
import type { StoredContent } from 'upload-store'
import type { Config } from '../config/config.ts'
import { contentDisposition } from '../http/content-disposition.ts'
import { queryValue } from '../http/query.ts'
import { CAPTIONS } from '../shared/video.ts'

/**
 * How long a signed URL can be used, in s: as long as a film. Chromium asks the store itself for every later range, and
 * plays no further where the URL has ended.
 */
const EXPIRES_IN = 4 * 60 * 60

/** Returns the URL at which a bucket or CDN answers the request, or `null` if this server has to answer. */
export async function redirectUrl(
  ctx: Koa.Context,
  content: StoredContent,
  disposition: 'inline' | 'attachment',
  { redirect, cacheControl }: Config,
): Promise<URL | null> {
  if (redirect === undefined || needsCors(ctx, content) || !canRedirect(ctx.request, content)) return null
  if (redirect === 'presigned') {
    const url = await content.signedUrl?.({
      expiresIn: EXPIRES_IN,
      contentDisposition: contentDisposition(content.key, disposition),
      cacheControl,
    })
    return url === undefined ? null : new URL(url)
  }
  const search = queryValue(ctx, 'download') === undefined ? '' : '?download'
  return new URL(`${redirect}${encodeURIComponent(content.key)}${search}`)
}

/**
 * A page's script, a poster that it draws, and captions would be kept from reading what another origin sends. Without HTTPS
 * browsers do not say what they ask for; captions are never asked for otherwise.
 */
function needsCors(ctx: Koa.Context, { type }: StoredContent): boolean {
  const isPage = ctx.get('Sec-Fetch-Site') !== ''
  return type === CAPTIONS || (isPage && /^(?:cors|same-origin)$/.test(ctx.get('Sec-Fetch-Mode')))
}

/** Redirects the client. No cache may store the response: a signed URL expires, and every client that has it may read. */
export function sendElsewhere(ctx: Koa.Context, url: URL): void {
  ctx.status = 307
  ctx.set('Cache-Control', 'no-store')
  ctx.redirect(url.href)
}

/** Returns the origins of media that the policy of a page has to allow: AWS has one for each bucket and region. */
export function mediaOrigins({ redirect, s3 }: Config): readonly string[] {
  if (redirect === undefined) return []
  if (redirect !== 'presigned') return [new URL(redirect).origin]
  return s3?.endpoint === undefined
    ? ['https://*.amazonaws.com', 'https://*.amazonaws.com.cn']
    : [new URL(s3.endpoint).origin]
}
