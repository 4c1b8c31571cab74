import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { StoreError } from '../../contract/store-error.ts'
import { hasCode, isDirectory, isThere } from './files.ts'
import { explainFailure, readTextSync, UnreadableEntry } from './read-entry.ts'

const LAYOUT_VERSION = 1

/** Matches the file name of a record. */
export const RECORD_FILE: RegExp = /^[\da-f]{64}\.json$/

/** The paths in a store's directory. No name that a client gave ever becomes part of a path. */
export interface Layout {
  readonly directory: string
  readonly staging: string
  /** Holds one file per process; the hard links of that file are the process's locks. */
  readonly owners: string
  readonly blobs: string
  readonly digests: string
  readonly records: string
  readonly quarantine: string
  /** The received bytes of an upload session that other processes can find. */
  part(id: string): string
  /** The received bytes of an upload session that only its process, whose owner file has this name, knows of. */
  ownPart(id: string, owner: string): string
  /** The manifest, which stores the properties needed to resume a session. */
  manifest(id: string): string
  /** A symbolic link that names the next owner of the session. */
  fence(id: string): string
  /** A record before its rename to `record(key)`. */
  draft(id: string): string
  /** The draft of a session that only its process knows of. */
  ownDraft(id: string, owner: string): string
  /** The lock of a session, or of a key's record (`recordName`). */
  lock(name: string): string
  /** The lock that succeeds the lock of a dead owner: `<random of the owner>.<name>`. */
  next(lock: string): string
  /** The bytes of one committed object. */
  blob(id: string): string
  /** A hard link to a blob with these bytes, for deduplication. */
  digest(sha256: string): string
  /** The record of the key, which names its blob. */
  record(key: string): string
}

/** Returns the file name of a key's record, without its extension. */
export function recordName(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

/** Errors of a file system that is full, read-only, or not writable by this user. */
const UNWRITABLE = ['EACCES', 'EDQUOT', 'ENOSPC', 'EPERM', 'EROFS']

/**
 * Returns the layout in `directory`, and creates missing directories. An existing store can be opened and read even if
 * it is not writable.
 *
 * @throws StoreError CORRUPT when the directory holds another version of the layout, or lost its records; what the file
 * system throws when a new store cannot be written
 */
export function openLayout(directory: string): Layout {
  const inside = (name: string) => join(directory, name)
  checkRecords(inside('FORMAT'), inside('records'), inside('blobs'))
  try {
    makeDirectory(directory)
    for (const name of ['staging', 'owners', 'blobs', 'digests', 'records']) makeDirectory(inside(name))
    checkFormat(inside('FORMAT'), join(directory, 'staging', `format-${process.pid}.tmp`))
  } catch (error) {
    const isReadable = isDirectory(inside('records')) && isDirectory(inside('blobs'))
    if (!isReadable || !hasCode(error, ...UNWRITABLE)) throw error
  }
  syncDirectory(directory)
  const staged = (name: string) => join(directory, 'staging', name)
  const sharded = (parent: string, name: string) => join(directory, parent, name.slice(0, 2), name)
  // 256 shards, as in the other directories: the first upload in each shard has to create it.
  const blobShard = (id: string) => Buffer.from(id.slice(0, 2), 'base64url').toString('hex')
  return {
    directory,
    staging: inside('staging'),
    owners: inside('owners'),
    blobs: inside('blobs'),
    digests: inside('digests'),
    records: inside('records'),
    quarantine: inside('quarantine'),
    part: (id) => staged(`${id}.part`),
    ownPart: (id, owner) => staged(`${id}.${owner}.part`),
    manifest: (id) => staged(`${id}.json`),
    fence: (id) => staged(`${id}.fence`),
    draft: (id) => staged(`${id}.record`),
    ownDraft: (id, owner) => staged(`${id}.${owner}.record`),
    lock: (name) => staged(`${name}.lock`),
    next: (lock) => staged(`${lock}.next`),
    blob: (id) => join(directory, 'blobs', blobShard(id), id),
    digest: (sha256) => sharded('digests', sha256),
    record: (key) => sharded('records', `${recordName(key)}.json`),
  }
}

/**
 * Creates a directory durably, because a store whose directory is gone after a power cut has lost every acknowledged
 * upload. Node's own `recursive` option loops without end if a parent exists but accepts no entries, as in /proc.
 */
function makeDirectory(path: string): void {
  if (isDirectory(path)) return
  if (!isThere(dirname(path))) makeDirectory(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process may have created it in the meantime.
    if (!isDirectory(path)) throw error
  }
  syncDirectory(dirname(path))
}

function syncDirectory(path: string): void {
  try {
    const descriptor = openSync(path, 'r')
    try {
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  } catch {
    // This user may not read the directory, or the system makes names durable itself.
  }
}

/**
 * Rejects a store whose `records/` is gone: with a new, empty one no blob would have a record, and sweep would remove
 * them all. FORMAT is written last, so a store that has FORMAT had its records.
 */
function checkRecords(format: string, records: string, blobs: string): void {
  if (isThere(records) || !isThere(format) || !isDirectory(blobs) || readdirSync(blobs).length === 0) return
  throw new StoreError(
    'CORRUPT',
    `${records} is missing, and without it no object can be found. Restore it, or choose another directory.`,
  )
}

/**
 * Checks FORMAT, or writes it. It is renamed into place, because a crash would otherwise leave an empty file, which
 * counts as another layout.
 */
function checkFormat(path: string, draft: string): void {
  const text = readFormat(path)
  if (text === null) {
    writeFileSync(draft, `${JSON.stringify({ layout: LAYOUT_VERSION })}\n`, { mode: 0o600, flush: true })
    try {
      renameSync(draft, path)
    } catch (error) {
      // Another process that opened the store earlier has swept the draft away.
      if (!hasCode(error, 'ENOENT')) throw error
      checkFormat(path, draft)
    }
    return
  }
  const [, found] = /^\{"layout":(\d+)\}\s*$/.exec(text) ?? []
  if (found === String(LAYOUT_VERSION)) return
  const layout = found === undefined ? 'no known layout' : `layout ${found}`
  throw new StoreError(
    'CORRUPT',
    `${path} names ${layout}, and this version reads layout ${LAYOUT_VERSION}. Choose another directory, or the version that wrote this one.`,
  )
}

function readFormat(path: string): string | null {
  try {
    return readTextSync(path)
  } catch (error) {
    if (!(error instanceof UnreadableEntry)) throw error
    throw new StoreError('CORRUPT', `${path} names no layout. ${explainFailure(error)} Restore this file.`, {
      cause: error,
    })
  }
}
