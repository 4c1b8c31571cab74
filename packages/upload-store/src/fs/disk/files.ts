import { lstatSync, statSync } from 'node:fs'
import { type FileHandle, link, lstat, rename, unlink } from 'node:fs/promises'
import { StoreError } from '../../contract/store-error.ts'

/** Writes all of `bytes`. A single call of `write` may write fewer. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at)
    at += bytesWritten
  }
}

/**
 * Creates the hard link `to`, or renames the file if the file system has no hard links. Keeps an existing entry at
 * `to`.
 */
export async function linkOrRename(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return
    if (!isWithoutLinks(error)) throw error
    await rename(from, to)
  }
}

/** Whether a hard link failed because the file system supports none, or no more to this file. */
export function isWithoutLinks(error: unknown): boolean {
  return hasCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK')
}

/**
 * Returns whether an entry exists. Synchronous, because a promise would take many times the few µs of the call itself.
 */
export function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

export function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  } catch {
    // A loop of links, or a path that this user may not read. The later call that needs the directory reports which.
    return false
  }
}

/**
 * Removes a file; resolves to whether it existed. A directory of that name is kept, because the store creates none
 * there.
 */
export async function removeIfThere(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EISDIR') || (await isForeignDirectory(path, error))) return false
    throw error
  }
}

/** macOS answers EPERM when a directory is unlinked. */
async function isForeignDirectory(path: string, error: unknown): Promise<boolean> {
  return hasCode(error, 'EPERM') && (await lstat(path)).isDirectory()
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/**
 * Errors that mean that the store is unavailable. ENOENT and ENOTDIR mean that its directories are gone, for example
 * because their volume was unmounted. Code that expects a missing file handles ENOENT before `withStoreErrors` sees it.
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
