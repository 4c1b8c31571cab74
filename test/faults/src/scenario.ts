import type { Content } from './content.ts'
import type { Stage } from './stage.ts'

export interface Scenario {
  readonly name: string
  /** What earlier processes ran in this directory, each to its end or to the call that it was killed at. */
  readonly after?: readonly { readonly scenario: string; readonly killedAt?: number }[]
  /** Makes ready and returns what to try: every file-system call of that is a point. */
  readonly prepare: (stage: Stage) => Promise<() => Promise<unknown>>
  /** The bytes of blobs that `prepare` made are not on the disk yet, for all their names are. */
  readonly unsynced?: boolean
  /** Errors that its calls are made to fail with; then the same is tried again in the same process. */
  readonly fails?: readonly string[]
}

/** What a call may fail with that takes space, and one that gives it back. */
export const WRITING: readonly string[] = ['EIO', 'ENOSPC', 'EMFILE']
export const REMOVING: readonly string[] = ['EIO', 'EMFILE']

export const content = (seed: string, size = 10_000): Content => ({ seed, size })
