import type Koa from 'koa'
import { type ListPage, type StoredObject, StoreError, type UploadStore } from 'upload-store'
import type { Access } from '../access/access.ts'
import type { Config } from '../config/config.ts'
import { PAGE_FIELDS, PAGE_POLICY } from '../html/html.ts'
import type { Library } from '../html/library-section.ts'
import { type PageModel, type Preview, renderPage } from '../html/page.ts'
import type { Playing } from '../html/player-section.ts'
import { signInLink, signOutButton } from '../html/sign-in-page.ts'
import { queryValue } from '../http/query.ts'
import { contentPath, requestOrigin } from '../media/video-json.ts'
import { captionsKey, type PageVideo, parseOrder, playPath, posterKey } from '../shared/video.ts'
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
  const wanted = queryValue(ctx, 'play') ?? ''
  // Applications that show a preview of a link accept anything.
  const types = wanted === '' ? ['json', 'html'] : ['html', 'json']
  if (ctx.accepts(types) !== 'html') {
    ctx.body = { message: GREETING }
    return
  }
  const media = ["'self'", 'blob:', ...mediaOrigins(config)].join(' ')
  ctx.set({ ...PAGE_FIELDS, 'Content-Security-Policy': `${PAGE_POLICY}; media-src ${media}` })
  const playing = await findPlaying(ctx, store, wanted)
  const isMissing = wanted !== '' && playing === null
  ctx.type = 'html'
  ctx.body = renderPage({
    library: withPlaying(await listPage(ctx, store), playing),
    playing,
    maxFileSize: config.maxFileSize,
    accept: config.accept.join(','),
    notice: isMissing ? { title: 'This video does not exist', detail: MISSING(wanted) } : null,
    preview: playing === null ? null : await previewOf(ctx, store, playing),
    ...account(ctx, config, access),
  })
}

const MISSING = (key: string): string => `“${key}” was deleted or renamed, or the link is incomplete.`

/** One page of the list. A store that cannot sort or search so many videos gives the order of names. */
async function listPage(
  ctx: Koa.Context,
  store: UploadStore,
): Promise<Omit<Library, 'current' | 'readOnly'>> {
  const order = parseOrder(queryValue(ctx, 'order'))
  const contains = queryValue(ctx, 'contains') ?? ''
  const options = { contains, companions: false, cursor: queryValue(ctx, 'cursor') }
  try {
    return { ...toLibrary(await store.list({ ...options, order })), contains, order, limitation: null }
  } catch (error) {
    if (!(error instanceof StoreError && error.code === 'UNSUPPORTED')) throw error
    const page = await store.list({ companions: false, cursor: options.cursor })
    const limitation =
      'This library is too large to be searched, or sorted by date or size. It is sorted by name.'
    return { ...toLibrary(page), contains: '', order: 'name', limitation }
  }
}

/** Puts the video that plays first in the list, if it is on another page. */
function withPlaying<L extends Omit<Library, 'current' | 'readOnly'>>(
  library: L,
  playing: Playing | null,
): L {
  const { videos, contains } = library
  if (playing === null || contains !== '' || videos.some(({ key }) => key === playing.video.key))
    return library
  return { ...library, videos: [playing.video, ...videos] }
}

const toLibrary = ({ items, cursor, total }: ListPage) => ({
  videos: items.map(pageVideo),
  next: cursor,
  total,
})

async function previewOf(ctx: Koa.Context, store: UploadStore, { video }: Playing): Promise<Preview> {
  const origin = requestOrigin(ctx)
  const poster = await find(store, posterKey(video.key))
  const { duration } = (await find(store, video.key))?.metadata ?? {}
  return {
    url: `${origin}${playPath(video.key)}`,
    video: `${origin}${video.url}`,
    poster: poster === null ? null : `${origin}${contentPath(poster.key)}`,
    duration: typeof duration === 'number' ? duration : null,
  }
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

async function findPlaying(ctx: Koa.Context, store: UploadStore, key: string): Promise<Playing | null> {
  const object = await find(store, key)
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
  } catch (error) {
    // The text in the address bar may not be a valid key.
    if (error instanceof StoreError && error.code === 'INVALID_KEY') return null
    throw error
  }
}

const parseSeconds = (text: string): number => (/^\d{1,6}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0)

function pageVideo({ key, size, type, digest, lastModified }: StoredObject): PageVideo {
  return { key, size, type, digest, created: new Date(lastModified).toISOString(), url: contentPath(key) }
}
