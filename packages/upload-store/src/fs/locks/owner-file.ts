import { linkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomId } from '../../values/random-id.ts'
import { hasCode, isThere } from '../disk/files.ts'
import { readTextSync, UnreadableEntry } from '../disk/read-entry.ts'
import { isSameFile, statFile } from '../disk/stat-file.ts'
import { type Owner, ownOwner } from './owner.ts'

/** Errors of file systems without hard links, where only one process may use a directory. */
const NO_LINKS = ['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP', 'EXDEV']

/** The parts of an owner file's text, `<random>:<owner>`. */
export const idOf = (text: string): string => text.slice(0, text.indexOf(':'))
export const ownerOf = (text: string): Owner => text.slice(text.indexOf(':') + 1)

/**
 * The file whose hard links are a store's locks. Its text names the owner and is written before the first link. Except
 * for symbolic links, no exclusive call in Node creates a name and identifies its owner at once. A symbolic link needs
 * its own inode (1.2 ms, beside 0.03 ms for a hard link, on an ext4 that has just deleted many).
 */
export class OwnerFile {
  readonly text: string = `${randomId()}:${ownOwner()}`
  readonly #path: string
  readonly #freshness: number
  #touched = 0

  /** @param freshness ms after which a new link's time has to be renewed */
  constructor(directory: string, freshness: number) {
    this.#path = join(directory, idOf(this.text))
    this.#freshness = freshness
  }

  /** The name of the file. */
  get name(): string {
    return idOf(this.text)
  }

  /** Creates the file if it is missing. */
  ensure(): void {
    if (!isThere(this.#path)) this.#make()
    else if (Date.now() - this.#touched > this.#freshness) this.touch()
  }

  /** Whether the entry at `path` is a link to this file. */
  isLink(path: string): boolean {
    return isSameFile(statFile(this.#path), statFile(path))
  }

  linkTo(path: string): 'made' | 'exists' | 'unsupported' {
    if (Date.now() - this.#touched > this.#freshness) this.touch()
    try {
      linkSync(this.#path, path)
      return 'made'
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return 'exists'
      if (hasCode(error, ...NO_LINKS)) return 'unsupported'
      // The owner file is missing: at the first lock, or after a process that could not see this one removed it. If the
      // file exists, the directory of `path` is missing.
      if (!hasCode(error, 'ENOENT') || !this.#make()) throw error
      return this.linkTo(path)
    }
  }

  /**
   * Creates the file, and returns whether it was missing. An existing file is never written to, because its links are
   * held locks.
   */
  #make(): boolean {
    try {
      writeFileSync(this.#path, this.text, { flag: 'wx', mode: 0o600 })
      this.#touched = Date.now()
      return true
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false
      // A truncated text would make locks without a known owner.
      removeFile(this.#path)
      throw error
    }
  }

  /**
   * Shows processes that cannot see this one that it is alive: a file and all its links share one time. Never throws,
   * because a timer calls it; the next call that needs the file reports the error.
   */
  touch(): void {
    try {
      utimesSync(this.#path, new Date(), new Date())
      this.#touched = Date.now()
    } catch {}
  }

  remove(): void {
    removeFile(this.#path)
  }
}

/**
 * Returns the text of a lock, or `null` if it does not exist. Returns the empty string, which names no owner, if a
 * power cut has left the file without a text, or another kind of entry has its name.
 */
export function readOwner(path: string): string | null {
  try {
    const text = readTextSync(path)
    return text === null || /^[\w-]{22}:[\w/-]*$/.test(text) ? text : ''
  } catch (error) {
    if (error instanceof UnreadableEntry) return ''
    throw error
  }
}

export function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // The file is already gone, or sweep removes it once its owner is dead.
  }
}
