import type { Dirent } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** A regular file below a path of the command line. */
export interface FoundFile {
  readonly path: string
  readonly name: string
  readonly directory: string
  readonly size: number
  /** In whole ms since the epoch. */
  readonly modified: number
}

/** An entry that is not a regular file, or cannot be read. */
export interface SkippedEntry {
  readonly path: string
  readonly reason: string
}

/**
 * Yields the files at and below `path`, each folder in the order of its names, so that captions follow their video. Links are
 * not followed, because they may lead anywhere. Hidden entries are omitted, as those of file managers.
 */
export async function* walk(path: string): AsyncGenerator<FoundFile | SkippedEntry> {
  let entry: Awaited<ReturnType<typeof lstat>>
  try {
    entry = await lstat(path)
  } catch (error) {
    yield { path, reason: reasonOf(error) }
    return
  }
  if (entry.isFile())
    yield {
      path,
      name: basename(path),
      directory: dirname(path),
      size: entry.size,
      modified: Math.trunc(entry.mtimeMs),
    }
  else if (entry.isDirectory()) yield* walkDirectory(path)
  else yield { path, reason: `It is ${kindOf(entry)}, not a regular file.` }
}

async function* walkDirectory(directory: string): AsyncGenerator<FoundFile | SkippedEntry> {
  let names: string[]
  try {
    names = await readdir(directory)
  } catch (error) {
    yield { path: directory, reason: reasonOf(error) }
    return
  }
  for (const name of names.sort()) {
    if (name.startsWith('.') || name === 'lost+found' || name === '@eaDir') continue
    yield* walk(join(directory, name))
  }
}

function kindOf(entry: Pick<Dirent, 'isSymbolicLink' | 'isFIFO' | 'isSocket'>): string {
  if (entry.isSymbolicLink()) return 'a symbolic link'
  if (entry.isFIFO()) return 'a FIFO'
  return entry.isSocket() ? 'a socket' : 'a device'
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
