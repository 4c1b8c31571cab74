import {
  appendFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Change } from './case.ts'
import { type FileContent, fixed } from './fixtures.ts'
import type { Target } from './target.ts'

/** Makes the change where the target keeps its files, and returns what the file holds then; `null`: it is gone. */
export async function applyChange(
  target: Target,
  change: Change,
  before: FileContent,
): Promise<FileContent | null> {
  const after = contentAfter(change, before)
  if (target.put !== null) {
    if (change.become !== 'replaced' || after === null) throw new Error('Objects are only ever replaced')
    await target.put(change.file, after.slice(0, after.size))
    return after
  }
  const path = join(target.root, change.file)
  const { mtimeMs } = statSync(path)
  changeFile(path, change, before, after)
  if (after !== null && change.modified !== undefined) {
    const modified = new Date(mtimeMs + (change.modified === 'kept' ? 0 : change.modified))
    utimesSync(path, modified, modified)
  }
  return after
}

function contentAfter({ become, size }: Change, before: FileContent): FileContent | null {
  switch (become) {
    case 'gone':
      return null
    case 'shorter':
      return { size: size ?? Math.floor(before.size / 2), slice: (start, end) => before.slice(start, end) }
    case 'longer':
      return fixed(
        Buffer.concat([before.slice(0, before.size), other((size ?? before.size * 2) - before.size)]),
      )
    default:
      return fixed(other(size ?? before.size))
  }
}

/** Bytes that no fixture has. */
function other(length: number): Buffer {
  return Buffer.alloc(length, 'other bytes, ')
}

function changeFile(path: string, { become }: Change, before: FileContent, after: FileContent | null): void {
  if (after === null) {
    rmSync(path)
  } else if (become === 'shorter') {
    truncateSync(path, after.size)
  } else if (become === 'longer') {
    appendFileSync(path, after.slice(before.size, after.size))
  } else if (become === 'overwritten') {
    // The same inode, and at no moment another length.
    writeFileSync(path, after.slice(0, after.size), { flag: 'r+' })
  } else {
    writeFileSync(`${path}.new`, after.slice(0, after.size))
    renameSync(`${path}.new`, path)
  }
}
