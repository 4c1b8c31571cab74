import { humanSize } from '../../src/shared/human-size.ts'
import { playPath } from '../../src/shared/video.ts'
import { announce, fromTemplate, get, setIcon } from '../shared/dom.ts'
import { fillAlert } from '../shared/notice.ts'
import {
  describeState,
  type JobState,
  type Progress,
  percent,
  progressShare,
  stateToggle,
  type Toggle,
} from './job-state.ts'

const ICONS: Readonly<Record<Toggle, string>> = { Pause: 'pause', Resume: 'video', Retry: 'retry' }
/** How long figures stay, in ms, so that they can be read. */
const LEGIBLE = 500

/** The row of one upload. */
export class JobView {
  readonly element: HTMLElement = fromTemplate('#job')
  readonly #name: string
  #isFinished = false
  #spoken = 0
  #written = 0

  constructor(name: string, on: { toggle: () => void; cancel: () => void }) {
    this.#name = name
    const label = get('.name', this.element)
    label.textContent = label.title = name
    get('progress', this.element).ariaLabel = `Upload of ${name}`
    get('.toggle', this.element).addEventListener('click', on.toggle)
    get('.cancel', this.element).addEventListener('click', () =>
      this.#isFinished ? this.remove() : on.cancel(),
    )
  }

  show(state: JobState, progress: Progress): void {
    const { element } = this
    element.dataset['state'] = state.kind
    this.#showToggle(stateToggle(state))
    const failed = state.kind === 'failed'
    get('.cancel', element).ariaLabel = `${failed ? 'Dismiss' : 'Cancel'} ${this.#name}`
    if (failed) fillAlert(get('.error', element), state.problem)
    else get('.error', element).replaceChildren()
    this.#written = 0
    this.progress(state, progress)
    if (state.kind === 'waiting' || state.kind === 'paused')
      announce(`${this.#name}: ${describeState(state, progress)}`)
  }

  progress(state: JobState, progress: Progress): void {
    const share = progressShare(progress)
    get<HTMLProgressElement>('progress', this.element).value = share
    const now = performance.now()
    if (this.#written === 0 || now - this.#written > LEGIBLE || share === 1) {
      this.#written = now
      get('.state', this.element).textContent = describeState(state, progress)
      get('.amount', this.element).textContent = humanSize(progress.total)
    }
    // A screen reader that speaks each event would never finish.
    const tenth = Math.floor(share * 10)
    if (state.kind === 'sending' && tenth > this.#spoken) announce(`${this.#name}: ${percent(tenth / 10)}`)
    this.#spoken = tenth
  }

  /** Shows that the upload is stored, and offers to watch the video. */
  finish(key: string): void {
    const { element } = this
    const focused = element.contains(document.activeElement)
    element.dataset['state'] = 'stored'
    const finished = get('.finished', element)
    finished.hidden = false
    get('.result', finished).textContent =
      key === this.#name ? 'Uploaded' : `Uploaded as “${key}”, because the name was taken`
    const watch = get<HTMLAnchorElement>('.watch', finished)
    watch.href = playPath(key)
    watch.ariaLabel = `Watch ${key}`
    get('.toggle', element).hidden = true
    get('.cancel', element).ariaLabel = `Dismiss ${this.#name}`
    this.#isFinished = true
    if (focused) watch.focus()
  }

  focus(): void {
    get('button:not([hidden])', this.element).focus()
  }

  remove(): void {
    removeRow(this.element)
  }

  #showToggle(toggle: Toggle | null): void {
    const button = get<HTMLButtonElement>('.toggle', this.element)
    const focused = document.activeElement === button
    button.hidden = toggle === null
    if (toggle === null) {
      if (focused) get('.cancel', this.element).focus()
      return
    }
    button.ariaLabel = `${toggle} ${this.#name}`
    setIcon(button, ICONS[toggle])
  }
}

/** Focus that is in the row goes to the row beside it, else to where the next file is chosen. */
export function removeRow(row: HTMLElement): void {
  const focused = row.contains(document.activeElement)
  const neighbour = row.nextElementSibling ?? row.previousElementSibling
  row.remove()
  if (focused)
    get(neighbour === null ? '#upload button' : 'button:not([hidden])', neighbour ?? document).focus()
}
