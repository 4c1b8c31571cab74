import type { PageVideo } from '../../src/shared/video.ts'

/** What several parts of the page share. */
class State {
  /** Every video that the page has shown, so that going back in history needs no request. */
  readonly known = new Map<string, PageVideo>()
  /** Keys of rows that are hidden until the server has deleted their videos. */
  readonly deleted = new Set<string>()
  /** The id under which the server records the page's requests while a person watches them. */
  view: string | null = null
  #playing: PageVideo | null = null
  readonly #listeners: (() => void)[] = []

  get playing(): PageVideo | null {
    return this.#playing
  }

  set playing(video: PageVideo | null) {
    this.#playing = video
    for (const listener of this.#listeners) listener()
  }

  /** Calls `listener` whenever `playing` has been set. */
  onPlaying(listener: () => void): void {
    this.#listeners.push(listener)
  }
}

export const state: State = new State()
