import type { ManifestObject } from './manifest-object.ts'

/**
 * How often a writer asks S3 whether another writer has taken its upload over, in ms. A fast writer notices it anyway,
 * because it writes the manifest after each part. A longer interval only keeps a useless connection open for longer.
 */
const INTERVAL = 5000

interface WatchOptions {
  /** After how many ms without a write an upload may expire. */
  readonly expireAfter: number
  /** Whether all bytes have arrived. Only the commit writes the manifest then. */
  isSealed(): boolean
  /** Writes the manifest. */
  refresh(): Promise<void>
  /** Called when another writer has taken the upload over. */
  onTakeover(): void
}

/** Refreshes and checks the manifest of a slow upload, until it is stopped. */
export class TakeoverWatch {
  readonly #file: ManifestObject
  readonly #options: WatchOptions
  readonly #timer: NodeJS.Timeout

  constructor(file: ManifestObject, options: WatchOptions) {
    this.#file = file
    this.#options = options
    this.#timer = setInterval(() => void this.#look().catch(() => {}), INTERVAL).unref()
  }

  async #look(): Promise<void> {
    const { expireAfter, onTakeover } = this.#options
    if (this.#file.age < INTERVAL / 2) return
    // Refreshed, so that a slow upload does not appear expired.
    if (this.#file.age > expireAfter / 3 && !this.#options.isSealed()) {
      await this.#options.refresh().catch(() => onTakeover())
    } else if (await this.#file.isLost()) onTakeover()
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
