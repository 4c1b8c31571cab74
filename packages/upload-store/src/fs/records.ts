import { link, readdir, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { StoredObject } from '../store.ts'
import { StoreError } from '../store-error.ts'
import { hasCode, makeParent, removeIfThere, syncDirectory, writeDurably } from './durable.ts'
import type { Layout } from './layout.ts'

/** An object and where its bytes lie. */
export interface BlobRecord {
  readonly object: StoredObject
  /** The id of its blob. */
  readonly blob: string
}

export async function readRecord(layout: Layout, key: string): Promise<BlobRecord | null> {
  return readRecordFile(layout.record(key))
}

/** Files read at a time: a scan must leave descriptors to everybody else. */
const BATCH = 32

/** Every readable record, in no order; `verify` tells of damaged ones. */
export async function readAllRecords(layout: Layout): Promise<readonly BlobRecord[]> {
  const all: BlobRecord[] = []
  for (const shard of await readdir(layout.records)) {
    if (!/^[\da-f]{2}$/.test(shard)) continue
    const directory = join(layout.records, shard)
    // What a person's tools leave behind, .DS_Store and the like, is no record.
    const names = (await readdir(directory)).filter((name) => /^[\da-f]{64}\.json$/.test(name))
    for (let at = 0; at < names.length; at += BATCH) {
      const batch = names.slice(at, at + BATCH).map((name) => readable(readRecordFile(join(directory, name))))
      // One that was deleted since readdir is no record any more.
      for (const record of await Promise.all(batch)) if (record !== null) all.push(record)
    }
  }
  return all
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
export async function draftRecord(layout: Layout, { object, blob }: BlobRecord): Promise<void> {
  const { key, size, type, digest, lastModified } = object
  const created = new Date(lastModified).toISOString()
  await makeParent(layout.record(key))
  await writeDurably(layout.draft(blob), `${JSON.stringify({ key, blob, size, type, digest, created })}\n`)
}

/**
 * Makes the draft the record of its key: the commit point. Nothing may fail in here after that.
 *
 * @param exclusive leaves a record alone that another process has just published, and throws PRECONDITION_FAILED
 */
export async function publishRecord(
  layout: Layout,
  { object, blob }: BlobRecord,
  exclusive: boolean,
): Promise<void> {
  const draft = layout.draft(blob)
  const path = layout.record(object.key)
  if (!exclusive) return rename(draft, path)
  try {
    await link(draft, path)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) {
      throw new StoreError('PRECONDITION_FAILED', `${JSON.stringify(object.key)} exists already.`)
    }
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS')) throw error
    // No hard links here: the caller's check, under its lock, is all the exclusion there is.
    return rename(draft, path)
  }
  await removeIfThere(draft).catch(() => {})
}

/** Makes what was published under `key` survive a power cut. */
export async function syncRecord(layout: Layout, key: string): Promise<void> {
  await syncDirectory(dirname(layout.record(key)))
}

/** Resolves to whether there was one. */
export async function removeRecord(layout: Layout, key: string): Promise<boolean> {
  const existed = await removeIfThere(layout.record(key))
  if (existed) await syncRecord(layout, key)
  return existed
}

async function readRecordFile(path: string): Promise<BlobRecord | null> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
  const record = parseRecord(text)
  if (record === null) throw new StoreError('CORRUPT', `A record of the store is damaged: ${path}`)
  return record
}

function parseRecord(text: string): BlobRecord | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const { key, blob, size, type, digest, created } = value as Record<string, unknown>
  const lastModified = Date.parse(String(created))
  if (typeof key !== 'string' || typeof type !== 'string' || typeof size !== 'number') return null
  // The blob's id becomes a path.
  if (typeof blob !== 'string' || !/^[\w-]{22}$/.test(blob)) return null
  if (typeof digest !== 'string' || !/^[\da-f]{64}$/.test(digest) || Number.isNaN(lastModified)) return null
  return { object: { key, size, type, digest, etag: `"${digest}"`, lastModified }, blob }
}
