import type { PageVideo } from '../../src/shared/video.ts'
import { announce, get, setIcon } from '../shared/dom.ts'

export const stage: HTMLElement = get('#stage')
export type StageKind = 'video' | 'audio' | 'file' | 'none'
export type Note = 'file' | 'codec' | 'sound' | 'network' | 'server' | 'deleted'

export function setStage(kind: StageKind): void {
  stage.dataset['kind'] = kind
  setIcon(stage, kind === 'none' ? 'video' : kind)
}

/** @param video what the note is about */
export function showNote(name: Note | null, video: PageVideo | null): void {
  for (const note of stage.querySelectorAll<HTMLElement>('[data-note]'))
    note.hidden = note.dataset['note'] !== name
  get('[data-note="codec"] .type', stage).textContent = video?.type ?? ''
  get('[data-note="codec"] .key', stage).textContent = quoted(video?.key ?? '')
}

/** For a shell. */
const quoted = (key: string): string =>
  /^[\w.][\w.-]*$/.test(key) ? key : `'./${key.replaceAll("'", "'\\''")}'`

/** Says for a moment what a key has done. */
export function flash(text: string): void {
  const bubble = get('#flash')
  bubble.textContent = text
  for (const animation of bubble.getAnimations()) animation.cancel()
  bubble.animate([{ opacity: 1 }, { opacity: 1, offset: 0.7 }, { opacity: 0 }], 1200)
  announce(text)
}

export function scrollToStage(): void {
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches
  stage.scrollIntoView({ block: 'nearest', behavior: still ? 'auto' : 'smooth' })
}
