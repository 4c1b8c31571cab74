import type Koa from 'koa'
import type { StoredObject, UploadStore } from 'upload-store'
import type { Access } from './access.ts'
import type { Config } from './config.ts'
import { PAGE_POLICY } from './html.ts'
import { type PageModel, type PageVideo, renderPage } from './page.ts'
import { queryValue } from './query.ts'
import { signInLink, signOutButton } from './sign-in-page.ts'
import { videoPath } from './video-json.ts'

const GREETING =
  'A range server: POST a video to /video, read it back by ranges from the video_url of the answer.'

/** `GET /`: the page for browsers, a greeting in JSON for everybody else. */
export async function greet(
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
  const play = queryValue(ctx, 'play')
  const { items, cursor: next } = await store.list({ cursor: queryValue(ctx, 'cursor') })
  const playing = play === undefined ? null : await findVideo(store, play)
  ctx.set('Content-Security-Policy', PAGE_POLICY)
  ctx.type = 'html'
  ctx.body = renderPage({
    videos: items.map(pageVideo),
    next,
    playing: playing === null ? null : pageVideo(playing),
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

async function findVideo(store: UploadStore, key: string): Promise<StoredObject | null> {
  try {
    return await store.get(key)
  } catch {
    // What somebody typed into the address bar may be no key at all.
    return null
  }
}

function pageVideo({ key, size, type, lastModified }: StoredObject): PageVideo {
  return { key, size, type, created: new Date(lastModified).toISOString(), url: videoPath(key) }
}
