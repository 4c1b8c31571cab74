import { announce, get, maybe, setIcon } from './dom.ts'
import { humanSize } from './format.ts'
import { markCurrent, rows } from './row.ts'
import { kindOf, playPath, state, type Video, videoOf, videoPath } from './video.ts'

const stage = get('#stage')

const mediaElement = (): HTMLMediaElement | null => maybe<HTMLMediaElement>('video, audio', stage)

/** Takes over what the server has rendered. */
export function enhancePlayer(): void {
  const player = get('#player')
  if (player.dataset['key'] !== undefined) {
    state.playing = videoOf(player)
    state.known.set(state.playing.key, state.playing)
  }
  const media = mediaElement()
  if (media !== null) watch(media)
  addEventListener('popstate', onPopState)
}

export function play(video: Video): void {
  const path = playPath(video.key)
  if (path !== location.pathname + location.search) history.pushState(null, '', path)
  show(video)
  // A browser that forbids this leaves the controls to the user.
  mediaElement()
    ?.play()
    .catch(() => {})
  announce(`Playing ${video.key}`)
}

export function show(video: Video | null): void {
  const kind = video === null ? 'none' : kindOf(video.type)
  state.playing = video
  removeMedia()
  setStage(kind)
  showNote(kind)
  if (video !== null && (kind === 'video' || kind === 'audio')) insertMedia(kind, video.url)
  get('#caption').hidden = video === null
  get('#playing bdi').textContent = video?.key ?? 'Player'
  get('#facts').textContent = video && `${humanSize(video.size)} · ${video.type}`
  for (const link of get('#player').querySelectorAll<HTMLAnchorElement>('a[download]'))
    link.href = video === null ? '' : `${videoPath(video.key)}?download`
  document.title = `${video === null ? '' : `${video.key} – `}Range server`
  for (const row of rows()) markCurrent(row)
}

export function scrollToStage(): void {
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches
  stage.scrollIntoView({ block: 'nearest', behavior: still ? 'auto' : 'smooth' })
}

/** A film at its very start has not been begun, one that is paused later on has. */
export function isIdle(): boolean {
  const media = mediaElement()
  return media === null || media.error !== null || media.ended || (media.paused && media.currentTime === 0)
}

function onPopState(): void {
  const key = new URLSearchParams(location.search).get('play')
  if (key === (state.playing?.key ?? null)) return
  const video = key === null ? null : state.known.get(key)
  if (video === undefined) location.reload()
  else show(video)
}

function showNote(name: string | null): void {
  for (const note of stage.querySelectorAll<HTMLElement>('[data-note]'))
    note.hidden = note.dataset['note'] !== name
}

function setStage(kind: 'video' | 'audio' | 'file' | 'none'): void {
  stage.dataset['kind'] = kind
  setIcon(stage, kind === 'none' ? 'video' : kind)
}

function insertMedia(kind: 'video' | 'audio', url: string): void {
  const media = document.createElement(kind)
  media.controls = true
  media.preload = 'metadata'
  media.setAttribute('playsinline', '')
  media.src = url
  stage.append(media)
  watch(media)
}

function removeMedia(): void {
  const media = mediaElement()
  if (media === null) return
  media.remove()
  // A detached element would go on loading.
  media.removeAttribute('src')
  media.load()
}

function watch(media: HTMLMediaElement): void {
  const failed = (): void => {
    showNote(media.error?.code === MediaError.MEDIA_ERR_NETWORK ? 'network' : 'codec')
    setStage('file')
    media.hidden = true
  }
  media.addEventListener('error', failed)
  // The server's own element may have failed before this script ran.
  if (media.error !== null) failed()
}
