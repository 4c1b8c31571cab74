import { playPath } from '../../src/shared/video.ts'
import { get } from '../shared/dom.ts'
import { clock } from '../shared/format.ts'
import { state } from '../shared/state.ts'
import { mediaElement } from './media.ts'
import { flash } from './stage.ts'

/** Offers a link to the video, and one to its present moment. */
export function enableShare(): void {
  const button = get('#copy-time')
  get('#copy').addEventListener('click', () => void copyLink(0))
  button.addEventListener('click', () => void copyLink(currentSecond()))
  get('#copy-command').addEventListener('click', () => {
    const command = get('[data-note="codec"] code').textContent ?? ''
    void copy(command, 'Command copied')
  })
  const label = (): void => {
    const time = currentSecond()
    button.hidden = time === 0
    get('span', button).textContent = `Copy link at ${clock(time)}`
  }
  // The events of media do not bubble, but can be captured.
  for (const event of ['timeupdate', 'seeked', 'emptied'])
    get('#controller').addEventListener(event, label, true)
  state.onPlaying(label)
}

const currentSecond = (): number => Math.floor(mediaElement()?.currentTime ?? 0)

async function copyLink(time: number): Promise<void> {
  if (state.playing === null) return
  const path = playPath(state.playing.key) + (time > 0 ? `&t=${time}` : '')
  await copy(new URL(path, location.href).href, time > 0 ? `Link to ${clock(time)} copied` : 'Link copied')
}

async function copy(text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    flash(done)
  } catch {
    // Pages of plain HTTP have no clipboard.
    prompt('Copy this text:', text)
  }
}
