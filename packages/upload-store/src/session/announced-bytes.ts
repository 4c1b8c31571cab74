/** ms without a byte after which no space is set aside any more for the bytes that an upload has announced. */
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

  /** How many bytes of space to set aside now. */
  get reserved(): number {
    return this.isReleased ? 0 : this.#left
  }

  /** Whether the upload has been silent for so long that others may use its space. */
  get isReleased(): boolean {
    return this.#left > 0 && performance.now() - this.#lastArrival >= SILENCE
  }

  /** Call when bytes arrive, after which the rest is reserved again; returns how many of them were not announced. */
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
