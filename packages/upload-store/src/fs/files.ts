import { statSync } from 'node:fs'
import { type FileHandle, link, readFile, rename, unlink } from 'node:fs/promises'
import { StoreError } from '../store-error.ts'

/** Writes all of `bytes`; one write may take less. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at)
    at += bytesWritten
  }
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

/** The text of a file, or `null` where there is none. */
export async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

/** Not by a promise: some µs, where a call that waits takes as long as many of these. */
export function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
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
