import { lstatSync } from 'node:fs'
import type { StoredObject } from '../object.ts'
import { isThere } from './files.ts'
import type { FsContext } from './fs-context.ts'
import type { KeptIntent } from './intent.ts'
import type { Layout } from './layout.ts'
import { readable, readRecord, syncRecord } from './records.ts'
import { leaveReceipt } from './staged-files.ts'

/**
 * The object that the commit an intent tells of has made, or `null` where it has not happened.
 *
 * The part goes last, after the record names the blob: without a part it has happened, even where others have replaced
 * the object since.
 *
 * @param staged whether the part was there before the intent was read: of what is discarded the intent goes first
 */
export async function committedObject(
  layout: Layout,
  { committing }: KeptIntent,
  staged: boolean,
): Promise<StoredObject | null> {
  if (committing === undefined) return null
  const { object, blob } = committing
  if (!staged) return object
  const record = await readable(readRecord(layout, object.key))
  return record?.blob === blob ? object : null
}

/** The same, and what the commit had still to do is done. Call under the upload's lock. */
export async function finishCommit(
  context: FsContext,
  id: string,
  intent: KeptIntent,
): Promise<StoredObject | null> {
  const { layout, disk } = context
  const staged = isThere(layout.part(id))
  const object = await committedObject(layout, intent, staged)
  if (object === null || !staged) return object
  await syncRecord(layout, disk, object.key)
  await leaveReceipt(context, id)
  return object
}

/** When something came for an upload last, in ms since the epoch; 0 where there is nothing of it. */
export function lastSign(layout: Layout, id: string): number {
  const times = [layout.part(id), layout.intent(id)].map(
    (path) => lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0,
  )
  return Math.max(...times)
}
