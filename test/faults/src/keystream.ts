import { createCipheriv, createHash } from 'node:crypto'

/** AES works on blocks of so many bytes. */
const BLOCK = 16

/** Random bytes without end that a seed tells: content too large for memory is made where it is sent. */
export class Keystream {
  readonly #key: Buffer

  constructor(seed: string) {
    this.#key = createHash('sha256').update(seed).digest()
  }

  /** The bytes from `start` on, up to and without `end`. */
  bytes(start: number, end: number): Buffer {
    const counter = Buffer.alloc(BLOCK)
    counter.writeBigUInt64BE(BigInt(Math.floor(start / BLOCK)), BLOCK / 2)
    const skipped = start % BLOCK
    const zeros = Buffer.alloc(skipped + end - start)
    return createCipheriv('aes-256-ctr', this.#key, counter).update(zeros).subarray(skipped)
  }

  /** The same in pieces of 64 KiB, and a smaller one at the end. */
  *chunks(start: number, end: number): Generator<Buffer> {
    const CHUNK = 65536
    for (let at = start; at < end; at += CHUNK) yield this.bytes(at, Math.min(at + CHUNK, end))
  }
}
