import { randomFillSync } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { ByteRange } from './byte-range.ts'

export const KIBIBYTE = 1024
export const MEBIBYTE: number = 1024 * KIBIBYTE
export const GIBIBYTE: number = 1024 * MEBIBYTE
export const TEBIBYTE: number = 1024 * GIBIBYTE

export interface MediaFile {
  readonly name: string
  readonly size: number
}

export const FILM: MediaFile = { name: 'film.mp4', size: GIBIBYTE }
export const CLIP: MediaFile = { name: 'clip.mp4', size: 64 * MEBIBYTE }

/** How much of the sparse file is no hole: so much at its start, and so much from 1 TiB on. */
export const ISLAND: number = 1024 * KIBIBYTE
export const SPARSE: MediaFile = { name: 'sparse.mp4', size: TEBIBYTE + ISLAND }

/** Random bytes, block by block: no holes, and nothing that a file system could compress. */
export function* randomBlocks(size: number): Generator<Buffer> {
  for (let left = size; left > 0; left -= MEBIBYTE) {
    yield randomFillSync(Buffer.allocUnsafe(Math.min(left, MEBIBYTE)))
  }
}

/** Makes the sparse file in a directory. */
export function makeSparse(directory: string): void {
  const file = openSync(join(directory, SPARSE.name), 'wx')
  for (const position of [0, TEBIBYTE]) {
    for (const block of randomBlocks(ISLAND)) writeSync(file, block, 0, block.length, position)
  }
  // Otherwise the kernel writes the file back during the first round, and slows the server that is measured then.
  fsyncSync(file)
  closeSync(file)
}

/** Reads what an answer should hold. */
export type ReadBytes = (file: MediaFile, range: ByteRange) => Buffer

/** Opens the files of a directory as they are asked for; they stay open. */
export function openMedia(directory: string): ReadBytes {
  const files = new Map<string, number>()
  return ({ name }, { start, end }) => {
    const file = files.get(name) ?? openSync(join(directory, name), 'r')
    files.set(name, file)
    const bytes = Buffer.allocUnsafe(end - start + 1)
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, start))
  }
}
