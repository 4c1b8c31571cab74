import { announce, fromTemplate, get } from './dom.ts'
import { humanSize, humanTime } from './format.ts'
import { fillAlert, type Problem } from './problem.ts'

/** One upload as the page shows it. */
export class Job {
  readonly file: File
  readonly element: HTMLElement = fromTemplate('#job')
  readonly #cancelled = new AbortController()
  #spoken = 0
  #loaded = 0
  #time = 0
  #rate = 0

  constructor(file: File) {
    this.file = file
    get('.name', this.element).textContent = file.name
    get('progress', this.element).ariaLabel = `Upload of ${file.name}`
    const button = get('button', this.element)
    button.ariaLabel = `Cancel ${file.name}`
    button.addEventListener('click', () => this.#close())
    this.#say('Waiting')
  }

  get signal(): AbortSignal {
    return this.#cancelled.signal
  }

  progress(loaded: number, total: number): void {
    const share = total === 0 ? 1 : loaded / total
    get<HTMLProgressElement>('progress', this.element).value = share
    const left = (total - loaded) / this.#speed(loaded)
    const rest = this.#rate > 0 ? ` · ${humanSize(this.#rate)}/s · ${humanTime(left)} left` : ''
    this.#say(share === 1 ? 'Saving' : `${Math.floor(share * 100)}%${rest}`)
    // A screen reader that speaks each event would never finish.
    const tenth = Math.floor(share * 10)
    if (tenth > this.#spoken) announce(`${this.file.name}: ${tenth * 10}%`)
    this.#spoken = tenth
  }

  fail(problem: Problem): void {
    this.element.classList.add('failed')
    get('button', this.element).ariaLabel = `Dismiss ${this.file.name}`
    fillAlert(get('.error', this.element), problem)
  }

  close(): void {
    const focused = this.element.contains(document.activeElement)
    this.element.remove()
    if (focused) get('#upload button').focus()
  }

  #close(): void {
    this.#cancelled.abort()
    this.close()
  }

  #say(text: string): void {
    get('.meta', this.element).textContent = text
  }

  /** Bytes per second, where the last three seconds weigh most. */
  #speed(loaded: number): number {
    const now = performance.now() / 1000
    const elapsed = now - this.#time
    if (this.#time === 0) {
      this.#time = now
      this.#loaded = loaded
    } else if (elapsed > 0.25) {
      const weight = this.#rate === 0 ? 1 : 1 - Math.exp(-elapsed / 3)
      this.#rate += weight * ((loaded - this.#loaded) / elapsed - this.#rate)
      this.#time = now
      this.#loaded = loaded
    }
    return this.#rate
  }
}
