import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { StoreError } from '../../contract/store-error.ts'
import { hasCode, isDirectory, isThere } from './files.ts'
import { explainFailure, readTextSync, UnreadableEntry } from './read-entry.ts'

const LAYOUT_VERSION = 1

/** What a record's file is called. */
export const RECORD_FILE: RegExp = /^[\da-f]{64}\.json$/

/** Where things lie in a store's directory. No name that a client gave ever becomes part of a path. */
export interface Layout {
  readonly directory: string
  readonly staging: string
  /** A file for each process, whose hard links are its locks. */
  readonly owners: string
  readonly blobs: string
  readonly digests: string
  readonly records: string
  readonly quarantine: string
  /** The bytes of an upload session so far. */
  part(id: string): string
  /** What it takes to resume a paused session. */
  manifest(id: string): string
  /** Names who is to have the session next: a symbolic link. */
  fence(id: string): string
  /** A record on its way to `record(key)`. */
  draft(id: string): string
  /** Held by who works on a session, or replaces what a key holds (`recordName`). */
  lock(name: string): string
  /** The lock that takes over from one whose owner is gone: `<random of the owner>.<name>`. */
  next(lock: string): string
  /** The bytes of one committed object. */
  blob(id: string): string
  /** A hard link to a blob with these bytes. */
  digest(sha256: string): string
  /** What the key holds. */
  record(key: string): string
}

/** The name of a key's record, without its ending. */
export function recordName(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

/** Errors of a file system that is full, read-only, or not ours to write. */
const UNWRITABLE = ['EACCES', 'EDQUOT', 'ENOSPC', 'EPERM', 'EROFS']

/**
 * Opens the layout in `directory`, and makes its directories if they are missing. A store that exists is opened even if
 * nothing can be written: its objects can be read.
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
  // As many as of the others: each shard's first upload has to make it.
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
    manifest: (id) => staged(`${id}.json`),
    fence: (id) => staged(`${id}.fence`),
    draft: (id) => staged(`${id}.record`),
    lock: (name) => staged(`${name}.lock`),
    next: (lock) => staged(`${lock}.next`),
    blob: (id) => join(directory, 'blobs', blobShard(id), id),
    digest: (sha256) => sharded('digests', sha256),
    record: (key) => sharded('records', `${recordName(key)}.json`),
  }
}

/**
 * A store whose directory is gone after a power cut has lost every upload that it answered for. Node's own `recursive` never
 * ends where a parent is there and takes nothing in, as in /proc.
 */
function makeDirectory(path: string): void {
  if (isDirectory(path)) return
  if (!isThere(dirname(path))) makeDirectory(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process may have been quicker.
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
    // Not ours to read, or a system that makes names durable itself.
  }
}

/**
 * Refuses a store whose `records/` is gone: in a new, empty one every blob would belong to nothing, and sweep would remove
 * all of them. FORMAT is written last, so a store that has it had its records.
 */
function checkRecords(format: string, records: string, blobs: string): void {
  if (isThere(records) || !isThere(format) || !isDirectory(blobs) || readdirSync(blobs).length === 0) return
  throw new StoreError(
    'CORRUPT',
    `${records} is missing, and without it no object can be found: restore it, or choose another directory.`,
  )
}

/** Written under another name first: an empty file, as a crash would leave it, counts as another layout. */
function checkFormat(path: string, draft: string): void {
  const text = readFormat(path)
  if (text === null) {
    writeFileSync(draft, `${JSON.stringify({ layout: LAYOUT_VERSION })}\n`, { mode: 0o600, flush: true })
    try {
      renameSync(draft, path)
    } catch (error) {
      // A process that has opened the store before us swept it away.
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
    `${path} names ${layout}, but this version reads layout ${LAYOUT_VERSION}. Choose another directory, or the version that wrote this one.`,
  )
}

function readFormat(path: string): string | null {
  try {
    return readTextSync(path)
  } catch (error) {
    if (!(error instanceof UnreadableEntry)) throw error
    throw new StoreError(
      'CORRUPT',
      `${path} does not name a layout. ${explainFailure(error)} Restore this file.`,
      {
        cause: error,
      },
    )
  }
}
