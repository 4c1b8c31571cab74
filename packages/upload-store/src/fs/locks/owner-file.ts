import { linkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomId } from '../../values/random-id.ts'
import { hasCode } from '../disk/files.ts'
import { readTextSync, UnreadableEntry } from '../disk/read-entry.ts'
import { type Owner, ownOwner } from './owner.ts'

/** File systems without hard links: one process a directory, then. */
const NO_LINKS = ['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP', 'EXDEV']

/** What the text of an owner's file says: `<random>:<owner>`. */
export const idOf = (text: string): string => text.slice(0, text.indexOf(':'))
export const ownerOf = (text: string): Owner => text.slice(text.indexOf(':') + 1)

/**
 * The file whose hard links are a store's locks. Its text names the owner, and is there before the first link: no other
 * exclusive call of Node's makes a name and tells whose it is at once, but for symbolic links, each of which is an inode of
 * its own (1.2 ms beside 0.03 on an ext4 that has just deleted many).
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

  linkTo(path: string): 'made' | 'exists' | 'unsupported' {
    if (Date.now() - this.#touched > this.#freshness) this.touch()
    try {
      linkSync(this.#path, path)
      return 'made'
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return 'exists'
      if (hasCode(error, ...NO_LINKS)) return 'unsupported'
      // The first time, or where a process has removed it that could not see that this one lives. Else `path` has no place.
      if (!hasCode(error, 'ENOENT') || !this.#make()) throw error
      return this.linkTo(path)
    }
  }

  /** Returns whether it was missing. One that is there is never written to: its links are locks that are held. */
  #make(): boolean {
    try {
      writeFileSync(this.#path, this.text, { flag: 'wx', mode: 0o600 })
      this.#touched = Date.now()
      return true
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false
      // Half a text would make locks that nobody knows the owner of.
      removeFile(this.#path)
      throw error
    }
  }

  /**
   * Shows those who cannot see this process that it lives: a file and all its links have one time. Never throws: a timer
   * calls it, and whoever needs the file next is told.
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
 * The text of a lock, or `null` if it does not exist. The empty string: it names no owner, because a power cut has left it
 * without a text, or something else has its name.
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
    // Gone already, or left for sweep: its owner will not be alive for ever.
  }
}
