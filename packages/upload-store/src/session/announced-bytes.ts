/** Silence of an upload, in ms, after which the space for its announced bytes is released. */
const SILENCE = 10_000

/**
 * The bytes that an upload has announced and not sent yet. Space is set aside for them while bytes keep arriving, so that
 * a client cannot use up the space of others by announcing it.
 */
export class AnnouncedBytes {
  #left: number
  #lastArrival = performance.now()

  constructor(bytes: number) {
    this.#left = bytes
  }

  /** The number of bytes to reserve now. */
  get reserved(): number {
    return this.isReleased ? 0 : this.#left
  }

  /** Whether the upload has been silent for so long that its space was released to other uploads. */
  get isReleased(): boolean {
    return this.#left > 0 && performance.now() - this.#lastArrival >= SILENCE
  }

  /** Returns how many of the arrived bytes were not announced. The remaining announced bytes are reserved again. */
  arrive(bytes: number): number {
    this.#lastArrival = performance.now()
    const announced = Math.min(bytes, this.#left)
    this.#left -= announced
    return bytes - announced
  }

  /** Call when no more bytes will arrive. */
  clear(): void {
    this.#left = 0
  }
}
