import { humanSize } from '../../src/shared/human-size.ts'
import { downloadPath, type PageVideo, playPath, videoKind } from '../../src/shared/video.ts'
import { announce, get } from '../shared/dom.ts'
import { clock } from '../shared/format.ts'
import { state } from '../shared/state.ts'
import { readVideo } from '../shared/video.ts'
import { labelCaptions, showCaptions } from './captions.ts'
import { enhanceControls, insertMedia, mediaElement, removeMedia, watch } from './media.ts'
import { readPosition, savePosition } from './positions.ts'
import { flash, setStage, showNote } from './stage.ts'

/** How often a position is kept, in ms: often enough for a crash. */
const KEEP_EVERY = 5000

/** Takes over what the server has rendered. */
export function enhancePlayer(): void {
  const player = get('#player')
  if (player.dataset['key'] !== undefined) {
    state.playing = readVideo(player)
    state.known.set(state.playing.key, state.playing)
  }
  const media = mediaElement()
  if (media !== null && state.playing !== null) {
    const left = linkedTime() === null ? readPosition(state.playing.key) : 0
    if (left > 0) media.currentTime = left
    watch(media, state.playing)
    follow(media, state.playing.key, left)
    labelCaptions(media)
    void enhanceControls()
  }
  addEventListener('popstate', onPopState)
  addEventListener('pagehide', saveCurrentPosition)
}

export function play(video: PageVideo): void {
  const path = playPath(video.key)
  if (path !== location.pathname + location.search) history.pushState(null, '', path)
  show(video)
  // A browser that forbids this leaves the controls to the user.
  mediaElement()
    ?.play()
    .catch(() => {})
  announce(`Playing ${video.key}`)
}

/** @param time where it begins, in seconds; `null`: where it was left */
export function show(video: PageVideo | null, time: number | null = null): void {
  const kind = video === null ? 'none' : videoKind(video.type)
  saveCurrentPosition()
  state.playing = video
  removeMedia()
  setStage(kind)
  get('#player').hidden = video === null
  get('main').toggleAttribute('data-playing', video !== null)
  showNote(kind === 'file' ? kind : null, video)
  if (video !== null && (kind === 'video' || kind === 'audio')) {
    const left = time ?? readPosition(video.key)
    const media = insertMedia(kind, video, left)
    follow(media, video.key, time === null ? left : 0)
    void showCaptions(video, media)
  }
  describe(video)
}

function describe(video: PageVideo | null): void {
  get('#caption').hidden = get('#requests').hidden = video === null
  get('#playing bdi').textContent = video?.key ?? ''
  get('#facts').textContent = video && `${humanSize(video.size)} · ${video.type}`
  for (const link of get('#player').querySelectorAll<HTMLAnchorElement>('a[download]'))
    link.href = video === null ? '' : downloadPath(video.key)
  document.title = `${video === null ? '' : `${video.key} – `}Range server`
}

/** @param left the position where playback resumes, to show it, in seconds */
function follow(media: HTMLMediaElement, key: string, left: number): void {
  let kept = 0
  media.addEventListener('timeupdate', () => {
    if (performance.now() - kept < KEEP_EVERY) return
    kept = performance.now()
    if (!media.paused) savePosition(key, media)
  })
  for (const event of ['pause', 'ended']) media.addEventListener(event, () => savePosition(key, media))
  if (left > 0) flash(`Resumed at ${clock(left)}. Press 0 to start over.`)
}

function saveCurrentPosition(): void {
  const media = mediaElement()
  if (media !== null && state.playing !== null && media.currentTime > 0)
    savePosition(state.playing.key, media)
}

function onPopState(): void {
  const key = new URLSearchParams(location.search).get('play')
  if (key === (state.playing?.key ?? null)) return
  const video = key === null ? null : state.known.get(key)
  if (video === undefined) location.reload()
  else show(video, linkedTime())
}

/** As in a link to a moment of a video. */
function linkedTime(): number | null {
  const time = Number(new URLSearchParams(location.search).get('t') ?? Number.NaN)
  return time >= 0 ? time : null
}
