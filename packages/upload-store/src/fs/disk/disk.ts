import { closeSync, constants, fsyncSync, openSync, readdirSync } from 'node:fs'
import { type FileHandle, mkdir, open, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hasCode, isDirectory } from './files.ts'
import { READ_ENTRY } from './read-entry.ts'

/**
 * Errors of systems that cannot open or sync a directory (Windows, some network file systems). They make names durable
 * themselves.
 */
const NO_DIRECTORY_SYNC = ['EISDIR', 'EPERM', 'EINVAL', 'EACCES', 'ENOTSUP']

/**
 * O_NOFOLLOW and O_NONBLOCK: a symbolic link or a FIFO in the place of a new file is an error, and is not followed or
 * waited for.
 */
const WRITE_NEW =
  constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * Makes files and names survive a power cut. With durability `none`, does nothing: the system writes them back when it
 * chooses.
 */
export class Disk {
  readonly #durable: boolean
  /** Directories whose own name this process has made durable. One per shard, so at most a few thousand. */
  readonly #made = new Set<string>()

  constructor(durability: 'full' | 'none') {
    this.#durable = durability === 'full'
  }

  /**
   * Makes the names of all shards durable that exist, with one flush for each directory of shards. Later, only a new shard
   * is flushed. If this fails, each shard is flushed before its first use.
   */
  rememberShards(directories: readonly string[]): void {
    for (const directory of directories) {
      try {
        const shards = readdirSync(directory)
        if (shards.length > 0 && this.#durable) syncNow(directory)
        for (const shard of shards) this.#made.add(join(directory, shard))
      } catch {}
    }
  }

  /** Makes the bytes and the length of a file durable. */
  async sync(file: FileHandle): Promise<void> {
    if (this.#durable) await file.datasync()
  }

  /** Makes the bytes of a file durable that another process may have written without a sync. */
  async syncPath(path: string): Promise<void> {
    if (!this.#durable) return
    const file = await open(path, READ_ENTRY)
    try {
      await file.datasync()
    } finally {
      await file.close()
    }
  }

  /** Makes the names in a directory durable. Without it, a power cut may undo an acknowledged rename. */
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
   * Creates the parent directory of `path` and makes its name durable.
   *
   * @throws an error with code ENOTDIR if another kind of entry has its name
   */
  async makeParent(path: string): Promise<void> {
    const parent = dirname(path)
    // The directory may have been removed since it was made.
    if (this.#made.has(parent) && isDirectory(parent)) return
    await mkdir(parent, { mode: 0o700 }).catch((error) => {
      // Another process may have made it just now, or before a crash, without a sync.
      if (!hasCode(error, 'EEXIST')) throw error
      if (!isDirectory(parent))
        throw Object.assign(new Error(`Not a directory: ${parent}`), { code: 'ENOTDIR' })
    })
    await this.syncDirectory(dirname(parent))
    this.#made.add(parent)
  }

  /** Writes a new file and makes its bytes durable. The file's name is durable only after `syncDirectory`. */
  async writeFile(path: string, text: string): Promise<void> {
    const file = await open(path, WRITE_NEW, 0o600)
    try {
      await file.writeFile(text)
      await this.sync(file)
    } finally {
      await file.close()
    }
  }

  /** Replaces a file atomically and durably: a reader sees either the old text or the new one. */
  async replaceFile(path: string, text: string): Promise<void> {
    const draft = `${path}.tmp`
    await this.writeFile(draft, text)
    await rename(draft, path)
    await this.syncDirectory(dirname(path))
  }
}

function syncNow(directory: string): void {
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
