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

/** Every record, in no order. */
export async function readAllRecords(layout: Layout): Promise<readonly BlobRecord[]> {
  const all: BlobRecord[] = []
  for (const shard of await readdir(layout.records)) {
    const directory = join(layout.records, shard)
    const names = await readdir(directory)
    const records = await Promise.all(names.map((name) => readRecordFile(join(directory, name))))
    // One that was deleted since readdir is no record any more.
    for (const record of records) if (record !== null) all.push(record)
  }
  return all
}

/**
 * Publishes a record; its new name is the commit point.
 *
 * @param exclusive leaves a record alone that another process has just published, and throws PRECONDITION_FAILED
 */
export async function writeRecord(
  layout: Layout,
  { object, blob }: BlobRecord,
  exclusive: boolean,
): Promise<void> {
  const { key, size, type, digest, lastModified } = object
  const draft = layout.draft(blob)
  const path = layout.record(key)
  const created = new Date(lastModified).toISOString()
  await makeParent(path)
  await writeDurably(draft, `${JSON.stringify({ key, blob, size, type, digest, created })}\n`)
  await (exclusive ? linkNew(draft, path, key) : rename(draft, path))
  await syncDirectory(dirname(path))
}

async function linkNew(draft: string, path: string, key: string): Promise<void> {
  try {
    await link(draft, path)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) {
      throw new StoreError('PRECONDITION_FAILED', `${JSON.stringify(key)} exists already.`)
    }
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS')) throw error
    // No hard links here: the caller's check, under its lock, is all the exclusion there is.
    return rename(draft, path)
  }
  await removeIfThere(draft)
}

export async function removeRecord(layout: Layout, key: string): Promise<void> {
  const path = layout.record(key)
  await removeIfThere(path)
  await syncDirectory(dirname(path))
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
