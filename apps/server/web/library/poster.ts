import { clear, createStore, get, keys, set, type UseStore } from 'idb-keyval'
import type { PageVideo } from '../../src/shared/video.ts'

export interface Poster {
  /** `null` where there is nothing to see. */
  readonly image: Blob | null
  /** In seconds; infinite for a stream of unknown duration. */
  readonly duration: number
}

/** Twice the width of a picture in the grid, for sharp screens. */
const WIDTH = 480
const HEIGHT = 270
/** In ms: a file whose index stands at its end takes three requests. */
const PATIENCE = 15_000
/** Some MB. */
const MOST = 1000

let store: UseStore | undefined

/** Of this content, whatever it is named; made of a few ranges, and once only. */
export async function loadPoster(video: PageVideo): Promise<Poster> {
  const known = await readPoster(video.digest)
  if (known !== undefined) return known
  const poster = await makePoster(video.url, 'image/webp')
  await writePoster(video.digest, poster)
  return poster
}

/** Makes the poster of the video at `url`, which may be a file of this machine. */
export async function makePoster(url: string, type: 'image/webp' | 'image/jpeg'): Promise<Poster> {
  const media = document.createElement('video')
  // Else a server that redirects would have it from another origin, whose pictures no canvas gives out.
  media.crossOrigin = 'anonymous'
  media.muted = true
  media.preload = 'metadata'
  try {
    const loaded = settled(media, 'loadedmetadata')
    media.src = url
    await loaded
    const { duration, videoWidth } = media
    if (videoWidth === 0) return { image: null, duration }
    const seeked = settled(media, 'seeked')
    // The very first frame is black more often than not.
    media.currentTime = Number.isFinite(duration) ? Math.min(duration / 10, 5) : 0
    await seeked
    return { image: await draw(media, type), duration }
  } finally {
    // A detached element would continue to load.
    media.removeAttribute('src')
    media.load()
  }
}

function settled(media: HTMLMediaElement, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    media.addEventListener(event, () => resolve(), { once: true })
    media.addEventListener('error', () => reject(new Error('It does not play')), { once: true })
    setTimeout(() => reject(new Error('It takes too long')), PATIENCE)
  })
}

/** As much of it as fills the place. */
function draw(video: HTMLVideoElement, type: string): Promise<Blob | null> {
  const canvas = document.createElement('canvas')
  canvas.width = WIDTH
  canvas.height = HEIGHT
  const scale = Math.max(WIDTH / video.videoWidth, HEIGHT / video.videoHeight)
  const [width, height] = [video.videoWidth * scale, video.videoHeight * scale]
  canvas.getContext('2d')?.drawImage(video, (WIDTH - width) / 2, (HEIGHT - height) / 2, width, height)
  return new Promise((resolve) => canvas.toBlob(resolve, type, 0.8))
}

const open = (): UseStore => (store ??= createStore('koa-range-server-posters', 'posters'))

/** Returns `undefined` in a browser that stores nothing; the poster is then made again. */
async function readPoster(digest: string): Promise<Poster | undefined> {
  try {
    return await get<Poster>(digest, open())
  } catch {
    return undefined
  }
}

async function writePoster(digest: string, poster: Poster): Promise<void> {
  try {
    if ((await keys(open())).length >= MOST) await clear(open())
    await set(digest, poster, open())
  } catch {
    // Likewise.
  }
}
