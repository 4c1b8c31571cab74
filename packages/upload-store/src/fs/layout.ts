import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StoreError } from '../store-error.ts'
import { hasCode } from './durable.ts'

const LAYOUT_VERSION = 1

/** Where things lie in a store's directory. No name that a client gave ever becomes part of a path. */
export interface Layout {
  readonly records: string
  /** The bytes of an upload session so far. */
  part(id: string): string
  /** A record on its way to `record(key)`. */
  draft(id: string): string
  /** The bytes of one committed object. */
  blob(id: string): string
  /** A hard link to a blob with these bytes. */
  digest(sha256: string): string
  /** What the key holds. */
  record(key: string): string
}

/**
 * Makes the directories of a store where they are missing.
 *
 * @throws StoreError CORRUPT when the directory holds another version of the layout; what the file system throws when it
 * cannot be written
 */
export function openLayout(directory: string): Layout {
  const inside = (name: string) => join(directory, name)
  for (const name of ['staging', 'blobs', 'digests', 'records']) {
    mkdirSync(inside(name), { recursive: true, mode: 0o700 })
  }
  checkFormat(inside('FORMAT'))
  const sharded = (parent: string, name: string) => join(directory, parent, name.slice(0, 2), name)
  const recordName = (key: string) => `${createHash('sha256').update(key).digest('hex')}.json`
  return {
    records: inside('records'),
    part: (id) => join(directory, 'staging', `${id}.part`),
    draft: (id) => join(directory, 'staging', `${id}.record`),
    blob: (id) => sharded('blobs', id),
    digest: (sha256) => sharded('digests', sha256),
    record: (key) => sharded('records', recordName(key)),
  }
}

/** Written under another name first: one that a crash left empty would lock the store for ever. */
function checkFormat(path: string): void {
  const text = readIfThere(path)
  if (text === null) {
    const draft = `${path}.${process.pid}`
    writeFileSync(draft, `${JSON.stringify({ layout: LAYOUT_VERSION })}\n`, { mode: 0o600, flush: true })
    renameSync(draft, path)
    return
  }
  const [, found] = /^\{"layout":(\d+)\}\s*$/.exec(text) ?? []
  if (found === String(LAYOUT_VERSION)) return
  const layout = found === undefined ? 'no layout that is known' : `layout ${found}`
  throw new StoreError(
    'CORRUPT',
    `${path} tells of ${layout}, and this version reads layout ${LAYOUT_VERSION}: choose another directory, or the version that wrote this one.`,
  )
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}
