import { linkSync, mkdirSync, readdirSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createFsStore } from 'upload-store'
import { UnfitMachineError } from '../../programs.ts'
import { progress } from '../../progress.ts'
import { temporaryDirectory } from '../../temporary.ts'
import type { Ground } from '../cell.ts'
import { CLIP, FILM, GIBIBYTE, type MediaFile, makeSparse, randomBlocks } from './media.ts'

/** Both files, and what a store leaves free. */
const NEEDED = FILM.size + CLIP.size + 1.5 * GIBIBYTE

/** Makes the files in a temporary directory, and a store that holds the same. */
export async function makeGround(): Promise<Ground> {
  const scratch = temporaryDirectory()
  checkSpace(scratch)
  const [files, store] = [join(scratch, 'files'), join(scratch, 'store')]
  mkdirSync(files)
  mkdirSync(store)
  progress(`makes 1.1 GiB of random bytes in ${scratch}`)
  for (const file of [FILM, CLIP]) {
    await storeFile(store, file)
    shareBlob(store, files, file)
  }
  makeSparse(files)
  return { files, store, scratch }
}

async function storeFile(directory: string, { name, size }: MediaFile): Promise<void> {
  const store = createFsStore(directory)
  await store.put(name, blocks(size), { type: 'video/mp4' })
  await store.close()
}

async function* blocks(size: number): AsyncGenerator<Buffer> {
  yield* randomBlocks(size)
}

/** One file under two names: half of the disk and of the page cache, and both are equally warm. */
function shareBlob(store: string, files: string, { name, size }: MediaFile): void {
  const blobs = join(store, 'blobs')
  const blob = readdirSync(blobs, { recursive: true, encoding: 'utf8' }).find(
    (one) => statSync(join(blobs, one)).size === size,
  )
  if (blob === undefined) throw new Error(`The store holds no blob of ${size} bytes.`)
  linkSync(join(blobs, blob), join(files, name))
}

function checkSpace(directory: string): void {
  const { bavail, bsize } = statfsSync(directory)
  if (bavail * bsize < NEEDED) {
    const gibibytes = (NEEDED / GIBIBYTE).toFixed(1)
    throw new UnfitMachineError(
      `${directory} has less than ${gibibytes} GiB free: set TMPDIR to a directory on another disk.`,
    )
  }
}
