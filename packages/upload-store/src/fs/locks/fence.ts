import { lstatSync, readlinkSync, symlinkSync } from 'node:fs'
import { StoreError } from '../../contract/store-error.ts'
import { hasCode } from '../disk/files.ts'
import { removeFile } from './owner-file.ts'

/** Systems without symbolic links, or that keep them from us. */
const NO_SYMLINKS = ['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP']

/** Tells whoever has the session to let go; the last one to claim it is the one who gets it. */
export function claimFence(path: string, fence: string): void {
  for (;;) {
    removeFile(path)
    try {
      symlinkSync(fence, path)
      return
    } catch (error) {
      // Where there are no symbolic links another process cannot be told, and waits until this one lets go.
      if (hasCode(error, ...NO_SYMLINKS)) return
      if (!hasCode(error, 'EEXIST')) throw error
      // A directory has its name, and cannot be replaced: the same holds.
      if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return
    }
  }
}

/** Whether somebody else has claimed the session since. */
export function isWanted(path: string, fence: string): boolean {
  try {
    return readlinkSync(path) !== fence
  } catch {
    // There is no claim, or none that can be read now.
    return false
  }
}

/** @throws StoreError ABORTED where somebody else has claimed the session since */
export function checkFence(path: string, fence: string): void {
  if (isWanted(path, fence))
    throw new StoreError('ABORTED', 'Another writer has resumed the upload, so this one was stopped.')
}
