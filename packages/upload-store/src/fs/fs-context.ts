import type { DamageReporter } from '../session/damage.ts'
import type { Disk } from './disk.ts'
import type { Layout } from './layout.ts'
import type { Locks } from './lock.ts'
import type { Serializer } from './serialize.ts'
import type { Space } from './space.ts'

/** What the parts of a file-system store share. */
export interface FsContext {
  readonly layout: Layout
  readonly disk: Disk
  readonly locks: Locks
  readonly serializer: Serializer
  readonly space: Space
  readonly damage: DamageReporter
  /** How long an upload is kept without a new byte, in ms. */
  readonly expireAfter: number
  /** The same for an upload that has no byte at all. */
  readonly expireEmptyAfter: number
}
