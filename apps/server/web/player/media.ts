import { type PageVideo, videoKind } from '../../src/shared/video.ts'
import { get, maybe } from '../shared/dom.ts'
import { state } from '../shared/state.ts'
import { findCause } from './failure.ts'
import { type Note, setStage, showNote, stage } from './stage.ts'

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

/** Shows a note if a file does not play, or loads it again when the network is back. */
export function watch(media: HTMLMediaElement, video: PageVideo): void {
  const fail = (note: Note): void => {
    showNote(note, video)
    setStage('file')
    controller.hidden = true
  }
  const failed = (): void => {
    const time = media.currentTime
    void findCause(video, () => media.isConnected).then((cause) => {
      if (!media.isConnected) return
      const isLost = cause === 'back' || media.error?.code === MediaError.MEDIA_ERR_NETWORK
      if (cause === 'deleted') fail(cause)
      else if (isLost) resume(media, video, time)
      else fail('codec')
    })
  }
  const loaded = (): void => {
    // Chromium plays what it can of a film whose pictures it cannot decode.
    if (media instanceof HTMLVideoElement && media.videoWidth === 0 && video.type.startsWith('video/'))
      showNote('sound', video)
  }
  media.addEventListener('error', failed)
  media.addEventListener('loadedmetadata', loaded)
  // The server's own element may have come so far before this script ran.
  if (media.error !== null) failed()
  else if (media.readyState > 0) loaded()
}

/** Continues where the connection was lost. */
function resume(media: HTMLMediaElement, video: PageVideo, time: number): void {
  showNote(null, video)
  setStage(videoKind(video.type))
  controller.hidden = false
  media.src = mediaSource(video, time)
  media.play().catch(() => {})
}

export function toggleFullscreen(): void {
  const change =
    document.fullscreenElement === null ? controller.requestFullscreen() : document.exitFullscreen()
  // Some browsers have it for videos only, or not at all.
  change.catch(() => {})
}

export const isShown = (): boolean => !controller.hidden && stage.dataset['kind'] !== 'none'
