import type { StoreLimits } from '../contract/store.ts'
import type { DamageReporter } from '../session/damage.ts'
import type { KeyedQueue } from '../values/task-queue.ts'
import type { Disk } from './disk/disk.ts'
import type { Layout } from './disk/layout.ts'
import type { Space } from './disk/space.ts'
import type { Locks } from './locks/lock.ts'

/** The objects and options that all parts of a file-system store share. */
export interface FsContext {
  readonly layout: Layout
  readonly disk: Disk
  readonly locks: Locks
  /** The queues of this process's commits, by record name. */
  readonly commits: KeyedQueue
  readonly space: Space
  readonly damage: DamageReporter
  readonly limits: StoreLimits
}

/** The parts of a store that a function or class uses. */
export type FsParts<Used extends keyof FsContext> = Pick<FsContext, Used>
