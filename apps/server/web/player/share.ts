import { playPath } from '../../src/shared/video.ts'
import { get } from '../shared/dom.ts'
import { clock } from '../shared/format.ts'
import { state } from '../shared/state.ts'
import { mediaElement } from './media.ts'
import { flash } from './stage.ts'

export function enableShare(): void {
  get('#copy').addEventListener('click', () => void copyLink())
}

/** With the time where one is; a film that has hardly begun is sent from its beginning. */
async function copyLink(): Promise<void> {
  if (state.playing === null) return
  const time = Math.floor(mediaElement()?.currentTime ?? 0)
  const path = playPath(state.playing.key) + (time > 0 ? `&t=${time}` : '')
  const link = new URL(path, location.href).href
  try {
    await navigator.clipboard.writeText(link)
    flash(time > 0 ? `Link to ${clock(time)} copied` : 'Link copied')
  } catch {
    // Pages of plain HTTP have no clipboard.
    prompt('Copy this link:', link)
  }
}
