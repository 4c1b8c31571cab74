import { readdir } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import type { Quarantined, Repaired, VerifyReport } from '../../contract/reports.ts'
import type { VerifyOptions } from '../../contract/store.ts'
import { StoreError } from '../../contract/store-error.ts'
import type { BlobRecord } from '../../values/blob-record.ts'
import { randomId } from '../../values/random-id.ts'
import { hasCode, isThere, linkOrRename, removeIfThere } from '../disk/files.ts'
import { type Layout, recordName } from '../disk/layout.ts'
import { explainFailure } from '../disk/read-entry.ts'
import { statFile } from '../disk/stat-file.ts'
import type { FsParts } from '../fs-context.ts'
import { replaceBytes } from '../objects/correct-keys.ts'
import { findFault, type Reads } from '../objects/find-fault.ts'
import { withRecordLocked } from '../objects/publish.ts'
import { markChange, readAllRecords, readable, readRecord, readRecordFileSync } from '../objects/records.ts'
import { findForeign } from './find-foreign.ts'
import { blobNamedIn } from './unknown-claims.ts'

/**
 * Reads every blob and compares its digest. A damaged object is repaired from its digest link if the link has the right
 * bytes; otherwise it is moved to `quarantine/` with its record.
 */
export async function verifyStore(
  context: FsParts<'layout' | 'disk' | 'locks' | 'commits'>,
  { onProgress }: VerifyOptions = {},
): Promise<VerifyReport> {
  const inQuarantine = isThere(context.layout.quarantine)
    ? (await readdir(context.layout.quarantine)).length
    : 0
  const quarantined: Quarantined[] = []
  const repaired: Repaired[] = []
  const read: Reads = new Map()
  let intact = 0
  const damaged: string[] = []
  const named = new Set<string>()
  const records = readAllRecords(context.layout, (shard, error) => {
    quarantined.push({
      key: null,
      reason: explainFailure(error),
      files: [relative(context.layout.directory, shard)],
    })
  })
  for await (const { path, record } of records) {
    if (record === null) {
      damaged.push(path)
      continue
    }
    named.add(record.blob)
    const found = await checkBlob(context, record, read)
    if (found === 'intact') intact++
    else if (found !== null && 'files' in found) quarantined.push(found)
    else if (found !== null) repaired.push(found)
    onProgress?.(record.object.size)
  }
  for (const path of damaged) {
    const found = await checkRecord(context, path, named)
    if (found !== null) quarantined.push(found)
  }
  const bytes = [...read.values()].reduce((sum, { size }) => sum + size, 0)
  return { intact, bytes, repaired, quarantined, inQuarantine, foreign: await findForeign(context) }
}

/** Returns `null` if the object was replaced or deleted meanwhile. */
async function checkBlob(
  context: FsParts<'layout' | 'disk' | 'locks' | 'commits'>,
  record: BlobRecord,
  read: Reads,
): Promise<Quarantined | Repaired | 'intact' | null> {
  const { layout } = context
  const { object, blob } = record
  if ((await findFault(layout.blob(blob), object, read)) === null) return 'intact'
  return withRecordLocked(context, recordName(object.key), async () => {
    if ((await readable(readRecord(layout, object.key)))?.blob !== blob) return null
    // Read again under the lock, where no process can replace it. No earlier read is trusted.
    const fresh: Reads = new Map()
    const reason = await findFault(layout.blob(blob), object, fresh)
    if (reason === null) return 'intact'
    if (await repair(context, record, fresh)) return { key: object.key, reason }
    const files = await moveAway(context, [layout.blob(blob), layout.record(object.key)], blob)
    return { key: object.key, reason, files }
  })
}

/**
 * Repairs the key with the bytes under its digest, and returns whether it did. Removes a digest link whose bytes are
 * damaged.
 */
async function repair(
  context: FsParts<'layout' | 'disk' | 'locks'>,
  record: BlobRecord,
  reads: Reads,
): Promise<boolean> {
  const { layout, disk } = context
  const shared = layout.digest(record.object.digest)
  const good = statFile(shared)
  if (good?.isFile() !== true) return false
  if ((await findFault(shared, record.object, reads)) === null) return replaceBytes(context, record, good)
  if (await removeIfThere(shared)) await disk.syncDirectory(dirname(shared))
  return false
}

/**
 * Moves a damaged record to `quarantine/`, with the blob that it names if the name is legible.
 *
 * @param named blobs of intact records, which stay where they are
 */
async function checkRecord(
  context: FsParts<'layout' | 'disk' | 'locks' | 'commits'>,
  path: string,
  named: ReadonlySet<string>,
): Promise<Quarantined | null> {
  const { layout } = context
  return withRecordLocked(context, basename(path, '.json'), async () => {
    const fault = findRecordFault(layout, path)
    // The record was replaced, repaired or deleted meanwhile.
    if (fault === null) return null
    if (hasCode(fault.cause, 'EACCES', 'EPERM')) {
      // Its content may be intact. Its permissions are the operator's to change.
      const files = [relative(layout.directory, path)]
      return { key: null, reason: `Its record stays where it is. ${fault.message}`, files }
    }
    const blob = blobNamedIn(path)
    const isOwn = blob !== undefined && !named.has(blob)
    const paths = isOwn ? [layout.blob(blob), path] : [path]
    const files = await moveAway(context, paths, isOwn ? blob : randomId())
    return { key: null, reason: 'Its record cannot be read.', files }
  })
}

function findRecordFault(layout: Layout, path: string): StoreError | null {
  try {
    readRecordFileSync(layout, path)
    return null
  } catch (error) {
    if (error instanceof StoreError) return error
    throw error
  }
}

/**
 * Moves the blob before the record, because a later `verify` finds a record without its blob, but `sweep` removes a
 * blob without its record.
 */
async function moveAway(
  { layout, disk }: FsParts<'layout' | 'disk'>,
  paths: readonly string[],
  id: string,
): Promise<readonly string[]> {
  const files: string[] = []
  for (const path of paths) {
    const target = join(layout.quarantine, path.endsWith('.json') ? `${id}.json` : basename(path))
    await disk.makeParent(target)
    try {
      // Linked and synced at the target before the source is removed. A rename would do nothing if both were links to
      // one file.
      await linkOrRename(path, target)
      await disk.syncDirectory(layout.quarantine)
      await removeIfThere(path)
      files.push(relative(layout.directory, target))
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
    }
  }
  markChange(layout)
  for (const path of paths) await disk.syncDirectory(dirname(path))
  return files
}
