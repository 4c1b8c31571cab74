import { undoDelete } from './library/delete.ts'
import { toggleCaptions } from './player/captions.ts'
import { isShown, mediaElement, toggleFullscreen } from './player/media.ts'
import { flash } from './player/stage.ts'
import { get } from './shared/dom.ts'
import { clock } from './shared/format.ts'

interface Key {
  /** As in `KeyboardEvent.key`, in lower case. */
  readonly keys: readonly string[]
  /** As printed on a keyboard. */
  readonly caps: readonly string[]
  readonly does: string
  /** Returns what to say about it. */
  readonly run: (media: HTMLMediaElement, key: string) => string | null
}

const RATES = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]

const KEYS: readonly Key[] = [
  { keys: [' ', 'k'], caps: ['Space', 'K'], does: 'Play or pause', run: togglePlay },
  { keys: ['j', 'l'], caps: ['J', 'L'], does: '10 seconds back, forward', run: seekBy({ j: -10, l: 10 }) },
  {
    keys: ['arrowleft', 'arrowright'],
    caps: ['←', '→'],
    does: '5 seconds back, forward',
    run: seekBy({ arrowleft: -5, arrowright: 5 }),
  },
  { keys: ['arrowup', 'arrowdown'], caps: ['↑', '↓'], does: 'Louder, quieter', run: changeVolume },
  { keys: ['m'], caps: ['M'], does: 'Sound off or on', run: toggleMuted },
  { keys: ['f'], caps: ['F'], does: 'Full screen', run: switchFullscreen },
  { keys: ['c'], caps: ['C'], does: 'Captions', run: switchCaptions },
  {
    keys: [...'0123456789'],
    caps: ['0', '…', '9'],
    does: 'To the beginning, to 10 % … 90 %',
    run: seekToTenth,
  },
  { keys: ['<', '>'], caps: ['<', '>'], does: 'Slower, faster', run: changeRate },
]

/** Those of the page itself, which need no video. */
const PAGE_KEYS: readonly (Omit<Key, 'run'> & { readonly run: () => string | null })[] = [
  { keys: ['z'], caps: ['Z'], does: 'Undo a deletion', run: undoDelete },
  { keys: ['/'], caps: ['/'], does: 'Search', run: focusSearch },
  { keys: ['?'], caps: ['?'], does: 'This list', run: showKeys },
]

export function enableKeys(): void {
  get('#keys dl').replaceChildren(...[...KEYS, ...PAGE_KEYS].map(describeKey))
  get('#keys-button').addEventListener('click', showKeys)
  addEventListener('keydown', onKey)
}

function onKey(event: KeyboardEvent): void {
  const key = event.key.toLowerCase()
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTaken(event, key)) return
  const page = PAGE_KEYS.find(({ keys }) => keys.includes(key))
  const action = KEYS.find(({ keys }) => keys.includes(key))
  const media = mediaElement()
  const onMedia = action !== undefined && media !== null && isShown() ? () => action.run(media, key) : null
  const run = page?.run ?? onMedia
  if (run === null) return
  event.preventDefault()
  const said = run()
  if (said !== null) flash(said)
}

/** Returns whether the focused element uses the key itself: a text field, a button or a slider. */
function isTaken({ target }: KeyboardEvent, key: string): boolean {
  if (!(target instanceof Element)) return false
  if (target.closest('input, textarea, select, [contenteditable], dialog') !== null) return true
  if (key === ' ') return target.closest('a, button, summary, [role="button"]') !== null
  return (
    key.startsWith('arrow') &&
    target.closest('[role="slider"], media-time-range, media-volume-range') !== null
  )
}

function describeKey({ caps, does }: Pick<Key, 'caps' | 'does'>): HTMLElement {
  const [pair, term, description] = [
    document.createElement('div'),
    document.createElement('dt'),
    document.createElement('dd'),
  ]
  term.append(
    ...caps.map((cap) => {
      const element = document.createElement(cap === '…' ? 'span' : 'kbd')
      element.textContent = cap
      return element
    }),
  )
  description.textContent = does
  pair.append(term, description)
  return pair
}

function showKeys(): null {
  get<HTMLDialogElement>('#keys').showModal()
  return null
}

function focusSearch(): null {
  get('#search input').focus()
  return null
}

function togglePlay(media: HTMLMediaElement): string {
  if (!media.paused) {
    media.pause()
    return 'Paused'
  }
  media.play().catch(() => {})
  return 'Playing'
}

function seekBy(steps: Readonly<Record<string, number>>): Key['run'] {
  return (media, key) => seekTo(media, media.currentTime + (steps[key] ?? 0))
}

function seekToTenth(media: HTMLMediaElement, key: string): string {
  return seekTo(media, (Number(key) / 10) * (media.duration || 0))
}

function seekTo(media: HTMLMediaElement, time: number): string {
  media.currentTime = Math.min(Math.max(0, time), media.duration || 0)
  return clock(media.currentTime)
}

function changeVolume(media: HTMLMediaElement, key: string): string {
  media.volume = Math.min(Math.max(0, media.volume + (key === 'arrowup' ? 0.05 : -0.05)), 1)
  media.muted = media.volume === 0
  return `Volume ${Math.round(media.volume * 100)}%`
}

function toggleMuted(media: HTMLMediaElement): string {
  media.muted = !media.muted
  return media.muted ? 'Sound off' : 'Sound on'
}

function switchCaptions(media: HTMLMediaElement): string {
  const shown = toggleCaptions(media)
  return shown === null ? 'It has no captions' : shown ? 'Captions on' : 'Captions off'
}

function switchFullscreen(): null {
  toggleFullscreen()
  return null
}

function changeRate(media: HTMLMediaElement, key: string): string {
  const slower = RATES.filter((rate) => rate < media.playbackRate).at(-1) ?? 0.25
  const faster = RATES.find((rate) => rate > media.playbackRate) ?? 2
  media.playbackRate = key === '<' ? slower : faster
  return `Speed ${media.playbackRate}×`
}
