import { lstatSync, readlinkSync, symlinkSync } from 'node:fs'
import { StoreError } from '../../contract/store-error.ts'
import { hasCode } from '../disk/files.ts'
import { removeFile } from './owner-file.ts'

/** Errors of systems without symbolic links, or that deny them to this process. */
const NO_SYMLINKS = ['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP']

/** Claims the session: its writer notices the claim and releases it. The last process to claim it gets it. */
export function claimFence(path: string, fence: string): void {
  for (;;) {
    removeFile(path)
    try {
      symlinkSync(fence, path)
      return
    } catch (error) {
      // Without symbolic links the writer cannot be notified, so the claiming process waits for the lock.
      if (hasCode(error, ...NO_SYMLINKS)) return
      if (!hasCode(error, 'EEXIST')) throw error
      // A directory has this name and cannot be replaced, so the writer cannot be notified either.
      if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return
    }
  }
}

/** Whether a process has claimed the session, now or earlier. */
export function isClaimed(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** Whether another process has claimed the session since. */
export function isWanted(path: string, fence: string): boolean {
  try {
    return readlinkSync(path) !== fence
  } catch {
    // There is no claim, or it cannot be read now.
    return false
  }
}

/** @throws StoreError ABORTED if another process has claimed the session since */
export function checkFence(path: string, fence: string): void {
  if (isWanted(path, fence))
    throw new StoreError('ABORTED', 'Another request or process has resumed the upload.')
}
