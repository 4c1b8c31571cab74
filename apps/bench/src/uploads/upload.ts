import { createHash, randomBytes, randomFillSync } from 'node:crypto'

export const MEBIBYTE: number = 1024 ** 2
export const GIBIBYTE: number = 1024 ** 3

/** What makes one upload differ from all others, so that no store can share the bytes of another. */
const TAIL_LENGTH = 16

/** The beginning of an MP4 file: bytes of no known type would be spared the work that a type makes. */
const MP4_HEAD = Buffer.from('0000001c6674797069736f6d0000020069736f6d69736f3261766331', 'hex')

/** Sent over and over, so that it stays in the processor's cache and the client costs little. */
const BLOCK = makeBlock()

export interface Upload {
  /** Unique, and a key. */
  readonly name: string
  /** Bytes, at least `TAIL_LENGTH`. */
  readonly size: number
  /** sha-256, lower-case hex. */
  readonly digest: string
  /** The last bytes. */
  readonly tail: Buffer
}

/** Makes uploads of `size` bytes; their common bytes are hashed once, here. */
export function uploadsOf(size: number): () => Upload {
  const common = createHash('sha256')
  for (const chunk of commonChunks(size)) common.update(chunk)
  return () => {
    const tail = randomBytes(TAIL_LENGTH)
    const digest = common.copy().update(tail).digest('hex')
    return { name: `${tail.toString('hex')}.mp4`, size, digest, tail }
  }
}

export function* chunksOf({ size, tail }: Upload): Generator<Buffer> {
  yield* commonChunks(size)
  yield tail
}

function* commonChunks(size: number): Generator<Buffer> {
  for (let rest = size - TAIL_LENGTH; rest > 0; rest -= BLOCK.length) yield BLOCK.subarray(0, rest)
}

function makeBlock(): Buffer {
  const block = randomFillSync(Buffer.allocUnsafe(MEBIBYTE))
  MP4_HEAD.copy(block)
  return block
}
