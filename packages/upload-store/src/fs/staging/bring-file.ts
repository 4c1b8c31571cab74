import { constants } from 'node:fs'
import { copyFile, type FileHandle, link, open } from 'node:fs/promises'
import { removeIfThere, writeAll } from '../disk/files.ts'

/** How the bytes of a file get into the store. `copy` shares them with the file if the file system can (reflinks). */
export type BringBy = 'copy' | 'link'

/** Called with all bytes in their order. Returns a promise only if the caller has to wait. */
type Accept = (bytes: Uint8Array) => Promise<unknown> | undefined

const BLOCK = 1024 ** 2
/** The smallest hole, in bytes. */
const HOLE = 64 * 1024
const ZEROS = Buffer.alloc(HOLE)

/**
 * Brings the bytes of the regular file at `source` to `part`, which must not exist, and passes them to `accept`. Returns the
 * open part.
 */
export async function bringFile(
  source: string,
  part: string,
  { by, mode, accept }: { readonly by: BringBy; readonly mode: number; readonly accept: Accept },
): Promise<FileHandle> {
  if (by === 'link') {
    await link(source, part)
    return reading(part, accept)
  }
  try {
    await copyFile(source, part, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL)
  } catch {
    // The file system cannot share bytes, or the file is on another one.
    await removeIfThere(part)
    return copyBytes(source, part, mode, accept)
  }
  const file = await reading(part, accept)
  await file.chmod(mode)
  return file
}

async function reading(part: string, accept: Accept): Promise<FileHandle> {
  const file = await open(part, 'r')
  try {
    await readAll(file, accept)
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Copies the bytes, and leaves holes where they are zero: a sparse file stays sparse. */
async function copyBytes(source: string, part: string, mode: number, accept: Accept): Promise<FileHandle> {
  const from = await open(source, 'r')
  try {
    const to = await open(part, 'wx+', mode)
    try {
      let position = 0
      await readAll(from, async (bytes) => {
        await accept(bytes)
        for (const { start, end } of dataIn(bytes))
          await writeAll(to, bytes.subarray(start, end), position + start)
        position += bytes.length
      })
      await to.truncate(position)
      return to
    } catch (error) {
      await to.close()
      throw error
    }
  } finally {
    await from.close()
  }
}

async function readAll(file: FileHandle, accept: Accept): Promise<void> {
  const buffer = Buffer.allocUnsafe(BLOCK)
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, BLOCK, position)
    if (bytesRead === 0) return
    await accept(buffer.subarray(0, bytesRead))
    position += bytesRead
  }
}

/** Yields the parts of a block between its holes; `end` is exclusive. */
function* dataIn(bytes: Uint8Array): Generator<{ readonly start: number; readonly end: number }> {
  let start = -1
  for (let at = 0; at < bytes.length; at += HOLE) {
    const isHole = isZero(bytes.subarray(at, at + HOLE))
    if (!isHole && start === -1) start = at
    if (isHole && start !== -1) {
      yield { start, end: at }
      start = -1
    }
  }
  if (start !== -1) yield { start, end: bytes.length }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && ZEROS.compare(bytes, 0, bytes.length, 0, bytes.length) === 0
}
