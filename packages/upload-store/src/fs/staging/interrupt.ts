import { lstatSync } from 'node:fs'
import type { StoredObject } from '../../contract/stored-object.ts'
import type { KnownUpload, UploadState } from '../../contract/upload-session.ts'
import { isThere } from '../disk/files.ts'
import type { FsContext, FsParts } from '../fs-context.ts'
import type { Lock } from '../locks/lock.ts'
import { currentBoot } from '../locks/owner.ts'
import type { KeptUploads } from './kept-uploads.ts'
import { type FsManifest, readManifest } from './manifest.ts'
import { committedObject, expiry, finishCommit } from './receipt.ts'
import { makeDurable } from './take-over.ts'

type Context = FsContext & { readonly kept: KeptUploads }

/** What is left of an upload. */
export type Found =
  | { readonly kind: 'unfinished'; readonly manifest: FsManifest }
  | { readonly kind: 'committed'; readonly manifest: FsManifest; readonly object: StoredObject }
  | { readonly kind: 'gone' }

/** Reads the manifest, and finishes an interrupted commit. Call under the upload's lock. */
export async function findLocked(context: FsParts<'layout' | 'disk' | 'space'>, id: string): Promise<Found> {
  const manifest = await readManifest(context.layout.manifest(id))
  if (manifest === null) return { kind: 'gone' }
  const object = await finishCommit(context, id, manifest)
  return object === null ? { kind: 'unfinished', manifest } : { kind: 'committed', manifest, object }
}

/** Returns the upload's properties and the object that it became. Interrupts no writer. */
export async function getUpload(
  { layout, kept }: Pick<Context, 'layout' | 'kept'>,
  id: string,
): Promise<KnownUpload | null> {
  const known = kept.find(id)?.manifest
  const staged = isThere(layout.part(id))
  const manifest = known ?? (await readManifest(layout.manifest(id)))
  if (manifest === null) return null
  const { key, metadata = {} } = manifest
  return { id, key, metadata, committed: await committedObject(layout, manifest, staged) }
}

/** Returns the state of an upload that this process has paused and no process uses now; `undefined` of any other. */
export function keptState(context: Context, id: string): UploadState | undefined {
  const manifest = context.kept.find(id)?.manifest
  if (manifest === undefined || !context.locks.isFree(id)) return undefined
  const { key, metadata = {}, offset } = manifest
  return { id, key, metadata, offset, committed: null, expires: expiry(context, id) }
}

/** Returns the state of an upload, with a durable offset. Call under its lock. */
export async function interruptLocked(context: Context, id: string, lock: Lock): Promise<UploadState | null> {
  const found = await findLocked(context, id)
  if (found.kind === 'gone') return null
  const { key, metadata = {} } = found.manifest
  const committed = found.kind === 'committed' ? found.object : null
  const offset = committed?.size ?? (await durableOffset(context, id, lock, found.manifest))
  if (offset === null) return null
  return { id, key, metadata, offset, committed, expires: expiry(context, id) }
}

/** Returns the number of received bytes, and makes them durable; `null` if no upload is left. */
async function durableOffset(
  context: Context,
  id: string,
  lock: Lock,
  manifest: FsManifest,
): Promise<number | null> {
  const { offset, boot } = manifest
  const part = lstatSync(context.layout.part(id), { throwIfNoEntry: false })
  const asPaused = part?.size === offset && part.nlink === 1 && boot === currentBoot() && lock.proven
  return asPaused ? offset : makeDurable(context, id, lock, manifest)
}
