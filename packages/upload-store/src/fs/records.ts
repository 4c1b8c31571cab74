import { rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type BlobRecord, fieldsOf, parseRecord } from '../blob-record.ts'
import { StoreError } from '../store-error.ts'
import type { Disk } from './disk.ts'
import { readText, removeIfThere } from './files.ts'
import { type Layout, RECORD_FILE } from './layout.ts'
import { namesBelow } from './shards.ts'

export async function readRecord(layout: Layout, key: string): Promise<BlobRecord | null> {
  return readRecordFile(layout.record(key))
}

/** Files read at a time: a scan must leave descriptors to everybody else. */
const BATCH = 32

/** Every record file, in no order; `record` is `null` where it cannot be read. */
export async function* readAllRecords(
  layout: Layout,
): AsyncGenerator<{ readonly path: string; readonly record: BlobRecord | null }> {
  const paths: string[] = []
  for await (const path of namesBelow(layout.records, RECORD_FILE)) paths.push(path)
  for (let at = 0; at < paths.length; at += BATCH) {
    yield* (await Promise.all(paths.slice(at, at + BATCH).map(readForScan))).filter((read) => read !== null)
  }
}

async function readForScan(path: string): Promise<{ path: string; record: BlobRecord | null } | null> {
  try {
    const record = await readRecordFile(path)
    // One that was deleted since it was listed is no record any more.
    return record === null ? null : { path, record }
  } catch (error) {
    if (error instanceof StoreError && error.code === 'CORRUPT') return { path, record: null }
    throw error
  }
}

/** The record, or `null` where there is none or a damaged one, which may be replaced. */
export async function readable(reading: Promise<BlobRecord | null>): Promise<BlobRecord | null> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof StoreError && error.code === 'CORRUPT') return null
    throw error
  }
}

/** Writes the record that `publishRecord` will make visible. */
export async function draftRecord(layout: Layout, disk: Disk, record: BlobRecord): Promise<void> {
  await disk.makeParent(layout.record(record.object.key))
  await disk.writeFile(layout.draft(record.blob), `${JSON.stringify(fieldsOf(record))}\n`)
}

/** Makes the draft the record of its key: the commit point. */
export async function publishRecord(layout: Layout, { object, blob }: BlobRecord): Promise<void> {
  await rename(layout.draft(blob), layout.record(object.key))
}

/** Makes what was published under `key` survive a power cut. */
export async function syncRecord(layout: Layout, disk: Disk, key: string): Promise<void> {
  await disk.syncDirectory(dirname(layout.record(key)))
}

/** Resolves to whether there was one. */
export async function removeRecord(layout: Layout, disk: Disk, key: string): Promise<boolean> {
  const existed = await removeIfThere(layout.record(key))
  if (existed) await syncRecord(layout, disk, key)
  return existed
}

/** @throws StoreError CORRUPT */
async function readRecordFile(path: string): Promise<BlobRecord | null> {
  const text = await readText(path)
  if (text === null) return null
  const record = parseRecord(text)
  if (record === null) throw new StoreError('CORRUPT', `A record of the store is damaged: ${path}`)
  return record
}
