/** Seconds that weigh most: a person cannot use an estimate that jumps. */
const WINDOW = 5
/** Seconds between two measurements. */
const STEP = 0.25

/** The speed of something that grows by fits and starts. */
export class Rate {
  #last: { readonly time: number; readonly count: number } | null = null
  #perSecond = 0

  /** 0 until there is something to say. */
  get perSecond(): number {
    return this.#perSecond
  }

  /** @param time in seconds */
  add(count: number, time: number): void {
    // What a new attempt goes back by has not been slow.
    if (this.#last === null || count < this.#last.count) {
      this.#last = { time, count }
      return
    }
    const elapsed = time - this.#last.time
    if (elapsed < STEP) return
    const weight = this.#perSecond === 0 ? 1 : 1 - Math.exp(-elapsed / WINDOW)
    this.#perSecond += weight * ((count - this.#last.count) / elapsed - this.#perSecond)
    this.#last = { time, count }
  }

  /** Time passes now that is not to count. */
  pause(): void {
    this.#last = null
  }
}
