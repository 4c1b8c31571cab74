import { link, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import type { BlobRecord } from '../blob-record.ts'
import { StoreError } from '../store-error.ts'
import { READ_ENTRY } from './disk/read-entry.ts'
import type { Disk } from './disk.ts'
import { hasCode, linkOrRename, removeIfThere } from './files.ts'
import type { Layout } from './layout.ts'

/**
 * Gives the sealed bytes in `part` their place among the blobs, or links the same bytes that are there already. May run
 * again.
 */
export async function placeBlob(
  layout: Layout,
  disk: Disk,
  part: string,
  { blob, object }: BlobRecord,
): Promise<void> {
  const path = layout.blob(blob)
  const digest = layout.digest(object.digest)
  await disk.makeParent(path)
  // Bytes that are shared may have come without durability.
  if (await linkExisting(digest, path, object.size)) await disk.syncPath(path)
  else {
    await linkOrRename(part, path)
    await shareByDigest(disk, path, digest)
  }
  await disk.syncDirectory(dirname(path))
}

/** Dedupe is never a promise: whatever goes wrong with a shared link, the upload's own bytes are there. */
async function linkExisting(digest: string, path: string, size: number): Promise<boolean> {
  try {
    if ((await stat(digest)).size !== size) return false
    await link(digest, path)
    return true
  } catch (error) {
    return hasCode(error, 'EEXIST')
  }
}

async function shareByDigest(disk: Disk, path: string, digest: string): Promise<void> {
  try {
    await disk.makeParent(digest)
    await link(path, digest)
  } catch {
    // Another upload of the same bytes was first, or there are no (more) hard links: nothing shares this blob then.
  }
}

/** Readers that have opened the blob finish; its bytes go with the last of its links. */
export async function removeBlob(layout: Layout, blob: string, digest: string): Promise<void> {
  await removeIfThere(layout.blob(blob))
  const shared = layout.digest(digest)
  try {
    // Nobody but the digest link itself holds these bytes any more.
    if ((await stat(shared)).nlink === 1) await removeIfThere(shared)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}

/** @throws StoreError NOT_FOUND when the blob is gone: its key was replaced or deleted since the record was read */
export async function openBlob(
  layout: Layout,
  { object, blob }: BlobRecord,
  range?: { readonly start: number; readonly end: number },
): Promise<Readable> {
  const { start, end } = range ?? { start: 0, end: object.size - 1 }
  const file = await open(layout.blob(blob), READ_ENTRY).catch((error) => {
    if (!hasCode(error, 'ENOENT')) throw error
    throw new StoreError('NOT_FOUND', `${JSON.stringify(object.key)} was replaced or deleted.`, {
      cause: error,
    })
  })
  const size = await file.stat().then(
    (stats) => stats.size,
    async (error) => {
      await file.close()
      throw error
    },
  )
  if (size === object.size && end >= start) return file.createReadStream({ start, end })
  await file.close()
  if (size === object.size) return Readable.from([])
  throw new StoreError(
    'CORRUPT',
    `${JSON.stringify(object.key)} has ${size} bytes on disk, not ${object.size}.`,
  )
}
