import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hasCode, isDirectory } from './files.ts'
import { READ_ENTRY } from './read-entry.ts'

/** Systems that cannot open or sync a directory (Windows, some network file systems) make names durable themselves. */
const NO_DIRECTORY_SYNC = ['EISDIR', 'EPERM', 'EINVAL', 'EACCES', 'ENOTSUP']

/** Nothing that lies in the place of a new file is followed, or waited for. */
const WRITE_NEW =
  constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** What makes things survive a power cut; with durability `none` that is left to the system's own time. */
export class Disk {
  readonly #durable: boolean
  /** Directories whose own name this process has made durable: one a shard, so at most a few thousand. */
  readonly #made = new Set<string>()

  constructor(durability: 'full' | 'none') {
    this.#durable = durability === 'full'
  }

  /** Makes the bytes of a file durable, and its length. */
  async sync(file: FileHandle): Promise<void> {
    if (this.#durable) await file.datasync()
  }

  /** Makes bytes durable that were written elsewhere, perhaps without it. */
  async syncPath(path: string): Promise<void> {
    if (!this.#durable) return
    const file = await open(path, READ_ENTRY)
    try {
      await file.datasync()
    } finally {
      await file.close()
    }
  }

  /** Makes the names in a directory durable: without it a power cut may undo a rename that was answered. */
  async syncDirectory(path: string): Promise<void> {
    if (!this.#durable) return
    try {
      const directory = await open(path, 'r')
      try {
        await directory.sync()
      } finally {
        await directory.close()
      }
    } catch (error) {
      if (!hasCode(error, ...NO_DIRECTORY_SYNC)) throw error
    }
  }

  /**
   * Makes the directory that `path` will lie in, durably.
   *
   * @throws an error with code ENOTDIR if something else has its name
   */
  async makeParent(path: string): Promise<void> {
    const parent = dirname(path)
    // It may have been removed since.
    if (this.#made.has(parent) && isDirectory(parent)) return
    await mkdir(parent, { mode: 0o700 }).catch((error) => {
      // Another process may have made it a moment ago, or before a crash, and not synced it yet.
      if (!hasCode(error, 'EEXIST')) throw error
      if (!isDirectory(parent))
        throw Object.assign(new Error(`Not a directory: ${parent}`), { code: 'ENOTDIR' })
    })
    await this.syncDirectory(dirname(parent))
    this.#made.add(parent)
  }

  /** Writes a new file and makes its bytes durable; its name is so only after `syncDirectory`. */
  async writeFile(path: string, text: string): Promise<void> {
    const file = await open(path, WRITE_NEW, 0o600)
    try {
      await file.writeFile(text)
      await this.sync(file)
    } finally {
      await file.close()
    }
  }

  /** Puts a file in the place of another, so that a reader sees one or the other whole, and makes it durable. */
  async replaceFile(path: string, text: string): Promise<void> {
    const draft = `${path}.tmp`
    await this.writeFile(draft, text)
    await rename(draft, path)
    await this.syncDirectory(dirname(path))
  }
}
