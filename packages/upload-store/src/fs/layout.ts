import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
 * @throws Error when the directory holds another version of the layout, or cannot be written
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

function checkFormat(path: string): void {
  try {
    writeFileSync(path, `${JSON.stringify({ layout: LAYOUT_VERSION })}\n`, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
    const found: unknown = JSON.parse(readFileSync(path, 'utf8') || '{}').layout
    if (found === LAYOUT_VERSION) return
    throw new Error(
      `${path} tells of layout ${String(found)}, and this version reads layout ${LAYOUT_VERSION}: choose another directory, or the version that wrote this one.`,
    )
  }
}
