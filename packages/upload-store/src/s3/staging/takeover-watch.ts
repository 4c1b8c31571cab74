import type { ManifestObject } from './manifest-object.ts'

/**
 * How often a writer asks S3 whether somebody else has taken its upload over, in ms, where it does not notice anyway: each
 * part is followed by a write of the manifest. Nothing depends on it but how long a connection that nobody needs stays.
 */
const INTERVAL = 5000

interface WatchOptions {
  /** After how long without a write an upload may have expired, in ms. */
  readonly expireAfter: number
  /** Whether all has come: the manifest is then left to the commit. */
  isSealed(): boolean
  /** Writes the manifest. */
  refresh(): Promise<void>
  /** Called when the upload is somebody else's. */
  onTakeover(): void
}

/** Looks after the manifest of an upload that is written slowly, until it is stopped. */
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
    // One that is written slowly must not look as if it had expired.
    if (this.#file.age > expireAfter / 3 && !this.#options.isSealed()) {
      await this.#options.refresh().catch(() => onTakeover())
    } else if (await this.#file.isLost()) onTakeover()
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
