import type Koa from 'koa'
import type { StoredObject, UploadStore } from 'upload-store'
import type { Access } from '../access/access.ts'
import type { Config } from '../config/config.ts'
import { PAGE_FIELDS, PAGE_POLICY } from '../html/html.ts'
import { type PageModel, renderPage } from '../html/page.ts'
import type { Playing } from '../html/player-section.ts'
import { signInLink, signOutButton } from '../html/sign-in-page.ts'
import { queryValue } from '../http/query.ts'
import { contentPath } from '../media/video-json.ts'
import { CAPTIONS, captionsKey, type PageVideo } from '../shared/video.ts'
import { mediaOrigins } from './redirect-video.ts'

const GREETING =
  'A range server: POST a video to /video, read it back by ranges from the video_url of the answer.'

/** `GET /`: the page for browsers, a greeting in JSON for other clients. */
export async function sendHome(
  ctx: Koa.Context,
  config: Config,
  store: UploadStore,
  access: Access | null,
): Promise<void> {
  ctx.vary('Accept')
  ctx.set('Cache-Control', 'no-store')
  if (ctx.accepts('json', 'html') !== 'html') {
    ctx.body = { message: GREETING }
    return
  }
  const prefix = queryValue(ctx, 'prefix') ?? ''
  const { items, cursor: next } = await store.list({ prefix, cursor: queryValue(ctx, 'cursor') })
  const media = ["'self'", ...mediaOrigins(config)].join(' ')
  ctx.set({ ...PAGE_FIELDS, 'Content-Security-Policy': `${PAGE_POLICY}; media-src ${media}` })
  ctx.type = 'html'
  ctx.body = renderPage({
    library: { videos: items.filter(({ type }) => type !== CAPTIONS).map(pageVideo), next, prefix },
    playing: await findPlaying(ctx, store),
    maxFileSize: config.maxFileSize,
    accept: config.accept.join(','),
    ...account(ctx, config, access),
  })
}

/** What the page lets its visitor do, and how to change that. */
function account(
  ctx: Koa.Context,
  { readOnly }: Config,
  access: Access | null,
): Pick<PageModel, 'readOnly' | 'account'> {
  if (access === null) return { readOnly, account: null }
  if (access.isAuthorized(ctx)) return { readOnly, account: signOutButton() }
  return { readOnly: true, account: readOnly ? null : signInLink() }
}

async function findPlaying(ctx: Koa.Context, store: UploadStore): Promise<Playing | null> {
  const object = await find(store, queryValue(ctx, 'play') ?? '')
  if (object === null) return null
  const captions = await find(store, captionsKey(object.key))
  return {
    video: pageVideo(object),
    captions: captions === null ? null : contentPath(captions.key),
    time: parseSeconds(queryValue(ctx, 't') ?? ''),
  }
}

async function find(store: UploadStore, key: string): Promise<StoredObject | null> {
  try {
    return await store.get(key)
  } catch {
    // The text in the address bar may not be a valid key.
    return null
  }
}

const parseSeconds = (text: string): number => (/^\d{1,6}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0)

function pageVideo({ key, size, type, digest, lastModified }: StoredObject): PageVideo {
  return { key, size, type, digest, created: new Date(lastModified).toISOString(), url: contentPath(key) }
}
