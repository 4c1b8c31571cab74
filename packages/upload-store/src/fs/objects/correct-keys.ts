import type { BigIntStats } from 'node:fs'
import { link } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { BlobRecord } from '../../values/blob-record.ts'
import { hasCode, removeIfThere } from '../disk/files.ts'
import { recordName } from '../disk/layout.ts'
import { isSameFile, statFile } from '../disk/stat-file.ts'
import type { FsParts } from '../fs-context.ts'
import { blobId } from './blob-id.ts'
import { withRecordLocked } from './publish.ts'
import { draftRecord, publishRecord, readAllRecords, readable, readRecord, syncRecord } from './records.ts'

/**
 * Repairs every key of the blob's digest that names other bytes, with the bytes of this blob, which was just verified.
 * Reads every record, so it is called only after damage was found.
 */
export async function correctKeys(
  context: FsParts<'layout' | 'disk' | 'locks' | 'commits'>,
  { object, blob }: BlobRecord,
): Promise<void> {
  const { layout } = context
  const good = statFile(layout.blob(blob))
  if (good === undefined) return
  // Entries that cannot be read are for `sweep` and `verify` to report.
  for await (const { record } of readAllRecords(layout, () => {})) {
    if (record?.object.digest !== object.digest) continue
    const { key } = record.object
    await withRecordLocked(context, recordName(key), async () => {
      const now = await readable(readRecord(layout, key))
      if (now?.blob !== record.blob || isSameFile(statFile(layout.blob(now.blob)), good)) return
      await replaceBytes(context, record, good)
    })
  }
}

/**
 * Publishes a key again with the bytes under its digest, if that is still the file `good`. Returns whether it did. The
 * blob's id is new, because every process caches descriptors by it. Call under the lock of the key's record.
 */
export async function replaceBytes(
  context: FsParts<'layout' | 'disk' | 'locks'>,
  { object }: BlobRecord,
  good: BigIntStats,
): Promise<boolean> {
  const { layout, disk, locks } = context
  const record = { object, blob: blobId(layout) }
  const path = layout.blob(record.blob)
  // The lock keeps sweep from removing the blob while it has no record.
  const lock = await locks.acquire(record.blob)
  try {
    if (!(await linkIfSame(context, layout.digest(object.digest), path, good))) return false
    await disk.syncPath(path)
    await disk.syncDirectory(dirname(path))
    const draft = layout.draft(record.blob)
    await draftRecord(layout, disk, record, draft)
    await publishRecord(layout, object.key, draft)
    await syncRecord(layout, disk, object.key)
    // The replaced blob is left to `sweep`, because its bytes are not the record's, so it may be the blob of another
    // key.
    return true
  } finally {
    lock.release()
  }
}

async function linkIfSame(
  { disk }: FsParts<'disk'>,
  from: string,
  to: string,
  good: BigIntStats,
): Promise<boolean> {
  await disk.makeParent(to)
  try {
    await link(from, to)
  } catch (error) {
    // The last key with this content was deleted meanwhile, or the file system makes no more links to the file.
    if (hasCode(error, 'ENOENT', 'EMLINK')) return false
    throw error
  }
  if (isSameFile(statFile(to), good)) return true
  await removeIfThere(to)
  return false
}
