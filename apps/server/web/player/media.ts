import { type PageVideo, videoKind } from '../../src/shared/video.ts'
import { get, maybe } from '../shared/dom.ts'
import { state } from '../shared/state.ts'
import { findCause, pause } from './failure.ts'
import { type Note, setStage, showNote, stage } from './stage.ts'

/** The time before the first reload after a broken response, and the most that it grows to, in ms. */
const RELOAD_DELAY = 1000
const MAX_RELOAD_DELAY = 30_000

const controller = get('#controller')

export const mediaElement = (): HTMLMediaElement | null => maybe<HTMLMediaElement>('video, audio', controller)

/** Shows media-chrome's controls in place of the browser's. */
export async function enhanceControls(): Promise<void> {
  try {
    await import('./controls.ts')
  } catch {
    return
  }
  const media = mediaElement()
  if (media !== null) media.controls = false
}

/** @param time in seconds */
export function insertMedia(kind: 'video' | 'audio', video: PageVideo, time: number): HTMLMediaElement {
  const media = document.createElement(kind)
  media.slot = 'media'
  media.controls = customElements.get('media-controller') === undefined
  media.preload = 'metadata'
  media.setAttribute('playsinline', '')
  media.src = mediaSource(video, time)
  controller.toggleAttribute('audio', kind === 'audio')
  controller.hidden = false
  controller.prepend(media)
  watch(media, video)
  void enhanceControls()
  return media
}

const mediaSource = ({ url }: PageVideo, time: number): string =>
  `${url}${state.view === null ? '' : `?view=${state.view}`}${time > 0 ? `#t=${time}` : ''}`

/** Requests the media again from its current position, with the current `view`. */
export function reloadMedia(): void {
  const media = mediaElement()
  if (media === null || state.playing === null || media.error !== null) return
  const { currentTime, paused, playbackRate } = media
  media.src = mediaSource(state.playing, currentTime)
  media.playbackRate = playbackRate
  if (!paused) media.play().catch(() => {})
}

export function removeMedia(): void {
  controller.hidden = true
  const media = mediaElement()
  if (media === null) return
  media.remove()
  // A detached element would continue to load.
  media.removeAttribute('src')
  media.load()
}

/** What a reload of the media has to keep. */
type Playback = Pick<HTMLMediaElement, 'currentTime' | 'paused' | 'playbackRate'>

/** Shows a note if a file does not play, or loads it again when the network is back. */
export function watch(media: HTMLMediaElement, video: PageVideo): void {
  // Reloads since the video last advanced.
  let reloads = 0
  let failedAt = 0
  const fail = (note: Note): void => {
    showNote(note, video)
    setStage('file')
    controller.hidden = true
  }
  const failed = async (): Promise<void> => {
    const { currentTime, paused, playbackRate } = media
    failedAt = currentTime
    const cause = await findCause(video, () => media.isConnected)
    if (!media.isConnected) return
    if (cause === 'deleted') return fail(cause)
    const isBroken = media.error?.code === MediaError.MEDIA_ERR_NETWORK
    if (cause === 'reachable' && !isBroken) return fail('codec')
    if (cause === 'reachable') await waitToReload(video, reloads)
    reloads++
    if (media.isConnected) resume(media, video, { currentTime, paused, playbackRate })
  }
  const loaded = (): void => {
    // Chromium plays what it can of a film whose pictures it cannot decode.
    if (media instanceof HTMLVideoElement && media.videoWidth === 0 && video.type.startsWith('video/'))
      showNote('sound', video)
  }
  media.addEventListener('error', () => void failed())
  media.addEventListener('loadedmetadata', loaded)
  media.addEventListener('timeupdate', () => {
    if (media.currentTime > failedAt + 1) reloads = 0
  })
  // The server's own element may have come so far before this script ran.
  if (media.error !== null) void failed()
  else if (media.readyState > 0) loaded()
}

/** A server that breaks each response would otherwise get hundreds of requests. */
async function waitToReload(video: PageVideo, reloads: number): Promise<void> {
  showNote('network', video)
  await pause(Math.min(RELOAD_DELAY * 2 ** reloads, MAX_RELOAD_DELAY))
}

/** Continues where the connection was lost. */
function resume(media: HTMLMediaElement, video: PageVideo, playback: Playback): void {
  showNote(null, video)
  setStage(videoKind(video.type))
  controller.hidden = false
  media.src = mediaSource(video, playback.currentTime)
  media.playbackRate = playback.playbackRate
  if (!playback.paused) media.play().catch(() => {})
}

export function toggleFullscreen(): void {
  const change =
    document.fullscreenElement === null ? controller.requestFullscreen() : document.exitFullscreen()
  // Some browsers have it for videos only, or not at all.
  change.catch(() => {})
}

export const isShown = (): boolean => !controller.hidden && stage.dataset['kind'] !== 'none'
