import { randomInt } from 'node:crypto'

/** Both ends inclusive. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

export function lengthOf({ start, end }: ByteRange): number {
  return end - start + 1
}

/** Draws random ranges of `length` bytes within `[from, to)`. */
export function drawRanges(count: number, length: number, from: number, to: number): readonly ByteRange[] {
  return Array.from({ length: count }, () => rangeAt(randomInt(from, to - length + 1), length))
}

/** Draws one range of `length` bytes in each of `count` equal stretches of a file, so that none touches another. */
export function drawApart(count: number, length: number, size: number): readonly ByteRange[] {
  const stretch = Math.floor(size / count)
  return Array.from({ length: count }, (_, at) =>
    rangeAt(at * stretch + randomInt(stretch - 2 * length), length),
  )
}

/** All blocks of `length` bytes in random order: none is asked for twice. */
export function shuffledBlocks(length: number, size: number): readonly ByteRange[] {
  const blocks = Array.from({ length: Math.floor(size / length) }, (_, at) => rangeAt(at * length, length))
  const keyed = blocks.map((block) => ({ block, key: Math.random() }))
  return keyed.sort((a, b) => a.key - b.key).map(({ block }) => block)
}

function rangeAt(start: number, length: number): ByteRange {
  return { start, end: start + length - 1 }
}
