import { lstatSync } from 'node:fs'
import type { StoredObject } from '../../contract/stored-object.ts'
import { isThere, removeIfThere } from '../disk/files.ts'
import type { Layout } from '../disk/layout.ts'
import type { FsParts } from '../fs-context.ts'
import { hasBytes } from '../objects/blobs.ts'
import { readable, readRecord, syncRecord } from '../objects/records.ts'
import type { FsManifest } from './manifest.ts'
import { leaveReceipt } from './staged-files.ts'

/**
 * Returns the object that an upload's commit has published, or `null` if it has published none.
 *
 * The part is removed last, after the record names the blob. So without a part the commit has happened, even if the
 * object was replaced or deleted since. If the record still names the blob and its bytes are lost, the client has to
 * send them again, so the commit counts as not made.
 *
 * @param staged whether the part existed before the manifest was read, because a discarded upload loses its manifest
 * first
 */
export async function committedObject(
  layout: Layout,
  { committing }: FsManifest,
  staged: boolean,
): Promise<StoredObject | null> {
  if (committing === undefined) return null
  const { object, blob } = committing
  const record = await readable(readRecord(layout, object.key))
  const hasHappened = record?.blob === blob ? hasBytes(layout, record) : !staged
  return hasHappened ? object : null
}

/** Like `committedObject`, and also finishes an interrupted commit. Call under the upload's lock. */
export async function finishCommit(
  context: FsParts<'layout' | 'disk' | 'space'>,
  id: string,
  manifest: FsManifest,
): Promise<StoredObject | null> {
  const { layout, disk } = context
  const staged = isThere(layout.part(id))
  const object = await committedObject(layout, manifest, staged)
  if (object === null) return null
  if (staged) {
    await syncRecord(layout, disk, object.key)
    await leaveReceipt(context, id)
  }
  // Two requests that read a receipt at once leave the claim of one of them. A receipt has no writer to obey it.
  else await removeIfThere(layout.fence(id))
  return object
}

/** Returns when an upload expires, in ms since the epoch. */
export function expiry({ layout, limits }: FsParts<'layout' | 'limits'>, id: string): number {
  const isEmpty = lstatSync(layout.part(id), { throwIfNoEntry: false })?.size === 0
  return lastSign(layout, id) + (isEmpty ? limits.expireEmptyAfter : limits.expireAfter)
}

/** Returns when the last bytes of an upload arrived, in ms since the epoch; 0 if there is no such upload. */
function lastSign(layout: Layout, id: string): number {
  const times = [layout.part(id), layout.manifest(id)].map(
    (path) => lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0,
  )
  return Math.max(...times)
}
