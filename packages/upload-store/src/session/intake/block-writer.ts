import { releaseBuffer } from '../../values/free-buffers.ts'

/** 256 KiB: one write for four chunks of a socket. Two blocks per upload cost 25 MiB for 50 uploads. */
export const BLOCK_LENGTH: number = 256 * 1024

/** Unused blocks. Allocating new ones for every upload of 1 MiB spent a tenth of its time in garbage collection. */
const free: Buffer[] = []
const MAX_FREE = 64

/** Receives each block: hashes it, then writes it, both from the same memory. */
export interface BlockTarget {
  hash(block: Uint8Array): void
  write(block: Uint8Array, position: number): Promise<void>
}

/**
 * Copies chunks into blocks, and writes one block while the next one fills. Hash and disk see the same copy, so a
 * source that reuses its memory cannot make them differ.
 */
export class BlockWriter {
  readonly #target: BlockTarget
  #block: Buffer | undefined
  #spare: Buffer | undefined
  #filled = 0
  /** The position of the next block. */
  #position: number
  /** The length of the next block. All blocks end at multiples of `BLOCK_LENGTH`, also after a resumption. */
  #capacity: number
  #written: number
  #writing: Promise<void> = Promise.resolve()

  constructor(target: BlockTarget, position: number) {
    this.#target = target
    this.#position = position
    this.#written = position
    this.#capacity = capacityAt(position)
  }

  /** The number of bytes written, counted from the upload's start. */
  get written(): number {
    return this.#written
  }

  /** Copies a chunk. Returns a promise only if the caller has to wait for the disk. */
  add(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#filled + chunk.length > this.#capacity) return this.#addAcross(chunk)
    this.#copy(chunk)
    return undefined
  }

  async #addAcross(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const end = Math.min(at + this.#capacity - this.#filled, chunk.length)
      this.#copy(chunk.subarray(at, end))
      at = end
      if (at < chunk.length) await this.#emit()
    }
  }

  /** Writes all bytes that were added. */
  async flush(): Promise<void> {
    if (this.#filled > 0) await this.#emit()
    await this.#writing
  }

  /** Releases the memory. Nothing may be added afterwards. */
  async end(): Promise<void> {
    await this.#writing.catch(() => {})
    for (const block of [this.#block, this.#spare]) {
      if (block !== undefined) releaseBuffer(free, block, MAX_FREE)
    }
    this.#block = undefined
    this.#spare = undefined
  }

  #copy(bytes: Uint8Array): void {
    this.#block ??= free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_LENGTH)
    this.#block.set(bytes, this.#filled)
    this.#filled += bytes.length
  }

  /**
   * Starts to write the full block once the previous write has finished, and fills the previous block's memory next.
   */
  async #emit(): Promise<void> {
    await this.#writing
    const full = this.#block
    if (full === undefined) return
    this.#block = this.#spare
    this.#spare = full
    this.#writing = this.#write(full.subarray(0, this.#filled))
    this.#capacity = capacityAt(this.#position)
    this.#filled = 0
    // The next call of `add` or `flush` reports a failure.
    this.#writing.catch(() => {})
  }

  async #write(bytes: Buffer): Promise<void> {
    const position = this.#position
    this.#position += bytes.length
    const writing = this.#target.write(bytes, position)
    // Hashed here, while a thread writes the same block.
    this.#target.hash(bytes)
    await writing
    this.#written = this.#position
  }
}

function capacityAt(position: number): number {
  return BLOCK_LENGTH - (position % BLOCK_LENGTH)
}
