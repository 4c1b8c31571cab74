import type { PageVideo } from '../../src/shared/video.ts'
import { showNote } from './stage.ts'

/** The time between two questions to the server, in ms. */
const INTERVAL = 2000

/**
 * Finds out why a video does not play, by one small request: browsers report a lost connection and an unknown codec by the
 * same error. Without a connection, or if the server cannot serve at present, says so and asks again until it can.
 *
 * @param isWanted whether the video is still on the page
 * @returns `'back'` if there was no connection at first
 */
export async function findCause(
  video: PageVideo,
  isWanted: () => boolean,
): Promise<'reachable' | 'back' | 'deleted'> {
  for (let wasLost = false; ; wasLost = true) {
    const status = await statusOf(video.url)
    if (status === 404) return 'deleted'
    if ((status !== null && status < 500) || !isWanted()) return wasLost ? 'back' : 'reachable'
    showNote(status === null ? 'network' : 'server', video)
    await pause(INTERVAL)
  }
}

async function statusOf(url: string): Promise<number | null> {
  return fetch(url, { method: 'HEAD', cache: 'no-store' }).then(
    ({ status }) => status,
    () => null,
  )
}

/**
 * Waits until the browser says that it is online again, or for a time.
 *
 * @param time in ms
 */
export function pause(time: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      removeEventListener('online', done)
      resolve()
    }
    const timer = setTimeout(done, time)
    addEventListener('online', done)
  })
}
