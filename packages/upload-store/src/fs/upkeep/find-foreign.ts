import { type Dirent, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { RANDOM_ID } from '../../values/random-id.ts'
import { RECORD_FILE } from '../disk/layout.ts'
import type { FsParts } from '../fs-context.ts'

/** The name of a shard, and of the files in the shards of each folder. */
const SHARD = /^[\da-f]{2}$/
const FOLDERS: Readonly<Record<string, RegExp>> = {
  blobs: RANDOM_ID,
  digests: /^[\da-f]{64}$/,
  records: RECORD_FILE,
}
const TOP = new Set(['FORMAT', 'staging', 'owners', 'quarantine', ...Object.keys(FOLDERS)])

/** File managers, network shares and file systems leave these everywhere. */
function isHarmless(name: string): boolean {
  return name.startsWith('.') || name === 'lost+found' || name === '@eaDir'
}

/**
 * Returns the paths of entries that the store has not written, relative to its directory: of other names, or not regular
 * files. They harm no object, but take space, and may be files that were meant to be imported.
 */
export async function findForeign({ layout }: FsParts<'layout'>): Promise<readonly string[]> {
  const { directory } = layout
  const foreign = entriesOf(directory).filter(({ name }) => !TOP.has(name))
  for (const [folder, pattern] of Object.entries(FOLDERS)) {
    for (const shard of entriesOf(join(directory, folder))) {
      if (!SHARD.test(shard.name) || !shard.isDirectory()) foreign.push(shard)
      else
        foreign.push(
          ...entriesOf(join(directory, folder, shard.name)).filter((entry) => !isOwn(entry, pattern)),
        )
    }
  }
  return foreign.map(({ parentPath, name }) => relative(directory, join(parentPath, name)))
}

function isOwn(entry: Dirent, pattern: RegExp): boolean {
  return pattern.test(entry.name) && entry.isFile()
}

function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true }).filter(({ name }) => !isHarmless(name))
  } catch {
    // The check of records reports folders that cannot be read.
    return []
  }
}
