import { utimesSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StoreError } from '../../contract/store-error.ts'
import { type BlobRecord, fieldsOf, parseRecord } from '../../values/blob-record.ts'
import type { Disk } from '../disk/disk.ts'
import { hasCode, isDirectory, isThere, removeIfThere } from '../disk/files.ts'
import { type Layout, RECORD_FILE } from '../disk/layout.ts'
import { readText, readTextSync } from '../disk/read-entry.ts'
import { namesBelow } from '../disk/shards.ts'
import type { FsParts } from '../fs-context.ts'
import { setAside } from './set-aside.ts'

/** @throws StoreError CORRUPT */
export async function readRecord(layout: Layout, key: string): Promise<BlobRecord | null> {
  return readRecordFile(layout, layout.record(key))
}

/** The number of files read at a time, so that a scan leaves descriptors to requests. */
const BATCH = 32

export interface ScannedRecord {
  readonly path: string
  /** `null` if it is damaged, for the reason of `error`. */
  readonly record: BlobRecord | null
  readonly error?: StoreError
}

/**
 * Yields every record file, in no order.
 *
 * @param onUnusable called with each shard that cannot be read
 */
export async function* readAllRecords(
  layout: Layout,
  onUnusable: (shard: string, error: unknown) => void,
): AsyncGenerator<ScannedRecord> {
  const paths: string[] = []
  for await (const path of namesBelow(layout.records, RECORD_FILE, onUnusable)) paths.push(path)
  for (let at = 0; at < paths.length; at += BATCH) {
    const reads = paths.slice(at, at + BATCH).map((path) => readForScan(layout, path))
    yield* (await Promise.all(reads)).filter((read) => read !== null)
  }
}

async function readForScan(layout: Layout, path: string): Promise<ScannedRecord | null> {
  try {
    const record = await readRecordFile(layout, path)
    // A record that was deleted since it was listed is skipped.
    return record === null ? null : { path, record }
  } catch (error) {
    if (error instanceof StoreError && error.code === 'CORRUPT') return { path, record: null, error }
    throw error
  }
}

/** Resolves to the record, or to `null` if it does not exist or is damaged: in both cases it may be replaced. */
export async function readable(reading: Promise<BlobRecord | null>): Promise<BlobRecord | null> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof StoreError && error.code === 'CORRUPT') return null
    throw error
  }
}

/** Writes the record that `publishRecord` will make visible. */
export async function draftRecord(
  layout: Layout,
  disk: Disk,
  record: BlobRecord,
  draft: string,
): Promise<void> {
  await makeShard(layout, disk, layout.record(record.object.key))
  await disk.writeFile(draft, `${JSON.stringify(fieldsOf(record))}\n`)
}

async function makeShard(layout: Layout, disk: Disk, path: string): Promise<void> {
  try {
    await disk.makeParent(path)
  } catch (error) {
    if (!hasCode(error, 'ENOTDIR') || !(await clearShard({ layout, disk }, path))) throw error
    await disk.makeParent(path)
  }
}

/** Sets aside a file that has the name of a shard: it must not block the keys of that shard. */
async function clearShard(context: FsParts<'layout' | 'disk'>, path: string): Promise<boolean> {
  const shard = dirname(path)
  const isForeign = isThere(shard) && !isDirectory(shard)
  return isForeign && setAside(context, shard)
}

/** Renames the draft to the record of its key. This is the commit point. */
export async function publishRecord(layout: Layout, key: string, draft: string): Promise<void> {
  await rename(draft, layout.record(key))
  markChange(layout)
}

/**
 * Touches the directory of all records. Call after each change of a record: the lists of all processes then look for it.
 * If it fails, they notice the change within a second.
 */
export function markChange({ records }: Layout): void {
  try {
    const now = new Date()
    utimesSync(records, now, now)
  } catch {}
}

/**
 * Moves a damaged record of the key to `quarantine/`, so that a new record can be written. It is kept, because the
 * object that it named was acknowledged, and an operator may repair it.
 */
export async function clearRecord(context: FsParts<'layout' | 'disk'>, key: string): Promise<void> {
  const path = context.layout.record(key)
  if (isThere(path)) await setAside(context, path)
}

/** Makes the record of `key` survive a power cut. */
export async function syncRecord(layout: Layout, disk: Disk, key: string): Promise<void> {
  await disk.syncDirectory(dirname(layout.record(key)))
}

/** Removes the record of `key`, or any other entry in its place. Resolves to whether there was one. */
export async function removeRecord(context: FsParts<'layout' | 'disk'>, key: string): Promise<boolean> {
  const { layout, disk } = context
  const path = layout.record(key)
  if (await clearShard(context, path)) {
    markChange(layout)
    return true
  }
  if (await removeIfThere(path)) {
    markChange(layout)
    await syncRecord(layout, disk, key)
    return true
  }
  return isThere(path) && setAside(context, path)
}

async function readRecordFile(layout: Layout, path: string): Promise<BlobRecord | null> {
  return recordIn(layout, path, await readText(path))
}

/**
 * Like `readRecord`, but synchronous, for scans.
 *
 * @throws StoreError CORRUPT
 */
export function readRecordFileSync(layout: Layout, path: string): BlobRecord | null {
  return recordIn(layout, path, readTextSync(path))
}

function recordIn(layout: Layout, path: string, text: string | null): BlobRecord | null {
  if (text === null) return null
  const record = parseRecord(text)
  if (record === null) throw new StoreError('CORRUPT', 'It is not a record of an object.')
  // A copy under another name would list its object twice, and removing it would remove the object's bytes.
  if (layout.record(record.object.key) !== path)
    throw new StoreError('CORRUPT', 'It is the record of another key.')
  return record
}
