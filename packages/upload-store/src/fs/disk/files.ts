import { lstatSync, statSync } from 'node:fs'
import { type FileHandle, link, lstat, rename, unlink } from 'node:fs/promises'
import { StoreError } from '../../contract/store-error.ts'

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
    if (!isWithoutLinks(error)) throw error
    await rename(from, to)
  }
}

/** Whether a hard link failed because the file system makes none, or no more of this file. */
export function isWithoutLinks(error: unknown): boolean {
  return hasCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK')
}

/** Without a promise: that would take many times the few µs of the call itself. */
export function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

export function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  } catch {
    // A loop of links, or a path that this user may not look at: the call that needs the directory says which.
    return false
  }
}

/** Removes a file; resolves to whether it existed. A directory of that name is not the store's, and stays. */
export async function removeIfThere(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EISDIR') || (await isForeignDirectory(path, error))) return false
    throw error
  }
}

/** macOS says EPERM for a directory. */
async function isForeignDirectory(path: string, error: unknown): Promise<boolean> {
  return hasCode(error, 'EPERM') && (await lstat(path)).isDirectory()
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/**
 * Errors that say that the store cannot be used now. ENOENT and ENOTDIR: its directories are gone, for example because
 * their volume was unmounted. Files that may be missing are looked for before `withStoreErrors` sees an error.
 */
const UNREACHABLE = [
  'EACCES',
  'EIO',
  'ENODEV',
  'ENOENT',
  'ENOTCONN',
  'ENOTDIR',
  'ENXIO',
  'EPERM',
  'EROFS',
  'ESTALE',
  'ETIMEDOUT',
]

/** Rethrows errors of the file system as errors of the store. */
export async function withStoreErrors<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (hasCode(error, 'ENOSPC', 'EDQUOT', 'EFBIG')) {
      throw new StoreError(
        'NO_SPACE',
        'The disk is full: there is no space for the upload. Try again later.',
        { cause: error },
      )
    }
    throw hasCode(error, ...UNREACHABLE) ? unavailable(error) : error
  }
}

export function unavailable(cause: unknown): StoreError {
  const readOnly = hasCode(cause, 'EROFS') ? 'is read-only' : 'cannot be reached'
  return new StoreError('UNAVAILABLE', `The store ${readOnly} at the moment; try again later.`, { cause })
}
