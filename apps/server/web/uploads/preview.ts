import { posterKey, videoPath } from '../../src/shared/video.ts'
import { makePoster } from '../library/poster.ts'

/** How long an upload waits for the duration of its file, in ms. */
const PATIENCE = 2000

/** Reads how long a video of this machine plays, in seconds; `null` if the browser cannot tell soon. */
export function readDuration(file: File): Promise<number | null> {
  if (!/^(?:video|audio)\//.test(file.type)) return Promise.resolve(null)
  return new Promise((resolve) => {
    const media = document.createElement('video')
    const url = URL.createObjectURL(file)
    const done = (): void => {
      clearTimeout(timer)
      const { duration } = media
      media.removeAttribute('src')
      URL.revokeObjectURL(url)
      resolve(Number.isFinite(duration) ? duration : null)
    }
    const timer = setTimeout(done, PATIENCE)
    media.addEventListener('loadedmetadata', done, { once: true })
    media.addEventListener('error', done, { once: true })
    media.preload = 'metadata'
    media.src = url
  })
}

/** Stores a picture of the video for previews of its link. Without one, previews have only its name. */
export async function storePoster(file: File, key: string): Promise<void> {
  if (!file.type.startsWith('video/')) return
  const url = URL.createObjectURL(file)
  try {
    const { image } = await makePoster(url, 'image/jpeg')
    if (image === null) return
    // Another upload of the same name may have stored one.
    await fetch(videoPath(posterKey(key)), { method: 'PUT', body: image, headers: { 'If-None-Match': '*' } })
  } catch {
    // The browser cannot show this video.
  } finally {
    URL.revokeObjectURL(url)
  }
}
