import type { StoreLimits } from '../../contract/store.ts'
import type { Bucket } from '../client/bucket.ts'
import type { Downloads } from '../client/downloads.ts'
import type { Leftovers } from './leftovers.ts'
import type { Names } from './names.ts'
import type { PartBudget } from './part-budget.ts'
import type { Records } from './records.ts'
import type { Space } from './space.ts'

/** The objects and options that all parts of an S3 store share. */
export interface S3Context {
  readonly bucket: Bucket
  readonly names: Names
  readonly downloads: Downloads
  readonly budget: PartBudget
  readonly records: Records
  readonly leftovers: Leftovers
  readonly space: Space
  /** The usual size of a part, in bytes. */
  readonly partSize: number
  readonly limits: StoreLimits
  /** The minimum age of an orphaned object before sweep removes it, in ms. */
  readonly orphanAge: number
}

/** The parts of a store that a function or class uses. */
export type S3Parts<Used extends keyof S3Context> = Pick<S3Context, Used>

/** Returns the context of one operation: all its requests for records and in the bucket together end within `ms`. */
export function operation<C extends Pick<S3Context, 'bucket' | 'records'>>(
  context: C,
  ms: number = context.bucket.limits.timeout,
): C {
  const bucket = context.bucket.within(ms)
  return { ...context, bucket, records: context.records.through(bucket) }
}
