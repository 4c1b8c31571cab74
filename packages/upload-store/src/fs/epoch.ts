import { StoreError } from '../store-error.ts'
import { makeLink, readLink, removeLink } from './lock.ts'

/** Tells whoever has the session to let go; the last one to claim it is the one who gets it. */
export function claimEpoch(path: string, epoch: string): void {
  // Where there are no symbolic links, there is one process to a store, and nobody to tell.
  do removeLink(path)
  while (makeLink(epoch, path) === 'exists')
}

/** Whether somebody else has claimed the session since. */
export function isWanted(path: string, epoch: string): boolean {
  try {
    return (readLink(path) ?? epoch) !== epoch
  } catch {
    // Whoever waits for the lock tries again.
    return false
  }
}

/** @throws StoreError ABORTED where somebody else has claimed the session since */
export function checkEpoch(path: string, epoch: string): void {
  if (isWanted(path, epoch)) throw new StoreError('ABORTED', 'The upload was resumed by somebody else.')
}
