import type { BigIntStats } from 'node:fs'
import { link, lstat, open, rename, unlink } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { StoreError } from '../../contract/store-error.ts'
import type { BlobRecord } from '../../values/blob-record.ts'
import type { Disk } from '../disk/disk.ts'
import { hasCode, isWithoutLinks, removeIfThere } from '../disk/files.ts'
import type { Layout } from '../disk/layout.ts'
import { READ_ENTRY } from '../disk/read-entry.ts'
import { isSameFile, statFile } from '../disk/stat-file.ts'
import { haveSameBytes } from './compare-files.ts'
import { findFault } from './find-fault.ts'

/**
 * Links the blob to the stored bytes of its digest if they equal those of `part`. May run again. Returns the stats of
 * the stored file if its bytes are damaged, because other keys may name it.
 *
 * Compares after the link was made, so that no other process can replace the file in between. No record names the blob
 * yet.
 */
export async function linkStored(
  layout: Layout,
  part: string,
  { blob, object }: BlobRecord,
): Promise<'same' | 'none' | BigIntStats> {
  const path = layout.blob(blob)
  const digest = layout.digest(object.digest)
  let stats: BigIntStats
  try {
    stats = await lstat(digest, { bigint: true })
    if (!stats.isFile()) return await removeForeign(digest)
    if (stats.size !== BigInt(object.size)) return stats
    await replaceByLink(digest, path)
  } catch {
    // Either no bytes of this digest are stored, or hard links are unsupported. Deduplication is an optimisation, and
    // the upload has its own bytes.
    return 'none'
  }
  const isSame = await haveSameBytes(part, path)
  if (isSame === true) return 'same'
  // The upload was hashed before it was written, and the disk may have damaged its file since.
  if (isSame === false && (await findFault(path, object, new Map())) === null) return 'same'
  await removeIfThere(path)
  return isSame === false ? stats : 'none'
}

/**
 * Removes a FIFO or a symbolic link in the place of a digest link. A directory stays, and this digest is not shared.
 */
async function removeForeign(digest: string): Promise<'none'> {
  await unlink(digest)
  return 'none'
}

/**
 * Replaces the file at `to` by a link. Such a file is left from an earlier attempt that may have failed before the
 * bytes were compared.
 */
async function replaceByLink(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
    await unlink(to)
    await link(from, to)
  }
}

/** Links the bytes of `part` as the blob at `path`. */
export async function linkOwn(part: string, path: string): Promise<void> {
  try {
    await replaceByLink(part, path)
  } catch (error) {
    if (!isWithoutLinks(error)) throw error
    await rename(part, path)
  }
}

/** Links the blob under its digest, and replaces a damaged file there if `isDamaged`. */
export async function shareByDigest(
  layout: Layout,
  disk: Disk,
  { blob, object }: BlobRecord,
  isDamaged: boolean,
): Promise<void> {
  const digest = layout.digest(object.digest)
  try {
    await disk.makeParent(digest)
    // Removed and not replaced by a rename, because a crash before the new link costs only the deduplication.
    if (isDamaged) await removeIfThere(digest)
    await link(layout.blob(blob), digest)
  } catch {
    // Another upload of the same bytes was faster, or hard links are unsupported or used up. The blob is then not
    // shared.
  }
}

/** Whether the blob of a record is a file of the right length. Reads no bytes. */
export function hasBytes(layout: Layout, { object, blob }: BlobRecord): boolean {
  const stats = statFile(layout.blob(blob))
  return stats?.isFile() === true && stats.size === BigInt(object.size)
}

/**
 * Removes the blob of a record that was replaced or deleted, unless its bytes are not those of the record: a damaged
 * record may name the blob of another key. `sweep`, which reads every record, decides about such a blob.
 */
export async function removeOwnBlob(layout: Layout, record: BlobRecord): Promise<void> {
  const { object, blob } = record
  if (await hasOwnBytes(layout, record)) await removeBlob(layout, blob, object.digest)
}

async function hasOwnBytes(layout: Layout, { object, blob }: BlobRecord): Promise<boolean> {
  const path = layout.blob(blob)
  const [stats, shared] = [statFile(path), statFile(layout.digest(object.digest))]
  // Any other kind of entry in the place of a blob holds no object's bytes.
  if (stats === undefined || !stats.isFile() || isSameFile(stats, shared)) return true
  if (stats.size !== BigInt(object.size)) return false
  // Two uploads of equal bytes at the same time do not share them. On file systems without links, no blob is shared.
  return shared === undefined || (await findFault(path, object, new Map())) === null
}

/** Removes a blob. Readers that have it open finish, and its bytes are freed with its last link. */
export async function removeBlob(layout: Layout, blob: string, digest: string): Promise<void> {
  await removeIfThere(layout.blob(blob))
  const shared = layout.digest(digest)
  try {
    const stats = await lstat(shared)
    // The digest link is the last link to these bytes.
    if (stats.isFile() && stats.nlink === 1) await removeIfThere(shared)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}

/**
 * Opens the bytes of a record.
 *
 * @throws StoreError NOT_FOUND if the blob does not exist, because the key was replaced or deleted since the record was
 * read; CORRUPT if its bytes cannot be those of the record
 */
export async function openBlob(
  layout: Layout,
  { object, blob }: BlobRecord,
  range?: { readonly start: number; readonly end: number },
): Promise<Readable> {
  const { start, end } = range ?? { start: 0, end: object.size - 1 }
  const file = await open(layout.blob(blob), READ_ENTRY).catch((error) => {
    if (!hasCode(error, 'ENOENT')) throw error
    throw new StoreError(
      'NOT_FOUND',
      `${JSON.stringify(object.key)} was replaced or deleted. Request it again.`,
      {
        cause: error,
      },
    )
  })
  const stats = await file.stat().catch(async (error) => {
    await file.close()
    throw error
  })
  const isWhole = stats.isFile() && stats.size === object.size
  if (isWhole && end >= start) return file.createReadStream({ start, end })
  await file.close()
  if (isWhole) return Readable.from([])
  throw new StoreError(
    'CORRUPT',
    `${JSON.stringify(object.key)} has ${stats.size} bytes on disk, not ${object.size}. Store the object again, or delete it.`,
  )
}
