import { randomFillSync, randomInt } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'

export const FILE_SIZE: number = 256 * 1024 * 1024

const BLOCK_LENGTH = 1024 * 1024

/** A range to ask for, both ends inclusive, and the bytes at its ends. */
export interface Sample {
  readonly start: number
  readonly end: number
  readonly first: number
  readonly last: number
}

/** Writes `FILE_SIZE` random bytes: no holes, and nothing that a file system could compress. */
export function makeFile(path: string): void {
  const file = openSync(path, 'wx')
  const block = Buffer.allocUnsafe(BLOCK_LENGTH)
  for (let position = 0; position < FILE_SIZE; position += BLOCK_LENGTH) {
    writeSync(file, randomFillSync(block), 0, BLOCK_LENGTH, position)
  }
  // Else the kernel writes it back during the first round, at the expense of whoever is measured then.
  fsyncSync(file)
  closeSync(file)
}

/** Draws `count` random ranges of `length` bytes and reads their ends now, so that a check need not. */
export function drawSamples(path: string, length: number, count: number): readonly Sample[] {
  const file = openSync(path, 'r')
  const samples = Array.from({ length: count }, () => {
    const start = randomInt(FILE_SIZE - length + 1)
    const end = start + length - 1
    return { start, end, first: readByte(file, start), last: readByte(file, end) }
  })
  closeSync(file)
  return samples
}

function readByte(file: number, position: number): number {
  const byte = Buffer.alloc(1)
  readSync(file, byte, 0, 1, position)
  return byte.readUInt8()
}
