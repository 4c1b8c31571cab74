import { type FileHandle, link, mkdir, open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StoreError } from '../store-error.ts'

/** Writes all of `chunk`; one write may take less. */
export async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, at, chunk.length - at, position + at)
    at += bytesWritten
  }
}

/** Writes a new file and makes its bytes durable; its name is so only after `syncDirectory`. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.datasync()
  } finally {
    await file.close()
  }
}

/** Systems that cannot open or sync a directory (Windows, some network file systems) make names durable themselves. */
const NO_DIRECTORY_SYNC = ['EISDIR', 'EPERM', 'EINVAL', 'EACCES', 'ENOTSUP']

/** Makes the names in a directory durable: without it a power cut may undo a rename that was answered. */
export async function syncDirectory(path: string): Promise<void> {
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

/** Directories whose own name this process has made durable: one a shard, so at most a few thousand. */
const durable = new Set<string>()

/** Makes the directory that `path` will lie in, durably. */
export async function makeParent(path: string): Promise<void> {
  const parent = dirname(path)
  try {
    await mkdir(parent, { mode: 0o700 })
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
    // Somebody else may have made it a moment ago, or before a crash, and not synced it yet.
    if (durable.has(parent)) return
  }
  await syncDirectory(dirname(parent))
  durable.add(parent)
}

/** Gives a file a second name, or where the file system has no hard links its only one; an existing name stays. */
export async function linkOrRename(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK')) throw error
    await rename(from, to)
  }
}

export async function removeIfThere(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** What the disk says, in the store's words. */
export async function withNoSpace<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!hasCode(error, 'ENOSPC', 'EDQUOT', 'EFBIG')) throw error
    throw new StoreError('NO_SPACE', 'There is no space left for the upload.', { cause: error })
  }
}
