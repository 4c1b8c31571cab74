import { statSync } from 'node:fs'
import { leaveReceipt } from './file-staging.ts'
import type { FsContext } from './fs-context.ts'
import type { KeptIntent } from './intent.ts'
import type { Layout } from './layout.ts'
import { readable, readRecord, syncRecord } from './records.ts'

/**
 * Whether the commit that an intent tells of has happened; what it had still to do is done. Call under the upload's lock.
 *
 * The part goes last, after the record names the blob: without a part it has happened, even where others have replaced
 * the object since.
 */
export async function isCommitted(
  context: FsContext,
  id: string,
  { committing }: KeptIntent,
): Promise<boolean> {
  if (committing === undefined) return false
  const { layout, disk } = context
  if (statSync(layout.part(id), { throwIfNoEntry: false }) === undefined) return true
  const { key } = committing.object
  const record = await readable(readRecord(layout, key))
  if (record?.blob !== committing.blob) return false
  await syncRecord(layout, disk, key)
  await leaveReceipt(context, id)
  return true
}

/** When something came for an upload last, in ms since the epoch; 0 where there is nothing of it. */
export function lastSign(layout: Layout, id: string): number {
  const times = [layout.part(id), layout.intent(id)].map(
    (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0,
  )
  return Math.max(...times)
}
