import { lstatSync } from 'node:fs'
import type { KnownUpload, UploadState } from '../../contract/upload-session.ts'
import { isThere } from '../disk/files.ts'
import type { Layout } from '../disk/layout.ts'
import type { FsContext, FsParts } from '../fs-context.ts'
import type { Lock } from '../locks/lock.ts'
import { currentBoot } from '../locks/owner.ts'
import { type FsManifest, readManifest } from './manifest.ts'
import { committedObject, expiry, finishCommit } from './receipt.ts'
import { takeOver } from './take-over.ts'

/** Returns the upload's properties and the object that it became. Interrupts no writer. */
export async function getUpload(layout: Layout, id: string): Promise<KnownUpload | null> {
  const staged = isThere(layout.part(id))
  const manifest = await readManifest(layout.manifest(id))
  if (manifest === null) return null
  const { key, metadata = {} } = manifest
  return { id, key, metadata, committed: await committedObject(layout, manifest, staged) }
}

/** Returns the state of an upload, with a durable offset. Call under its lock, which may be released. */
export async function interruptLocked(
  context: FsContext,
  id: string,
  fence: string,
  lock: Lock,
): Promise<UploadState | null> {
  const { layout } = context
  const manifest = await readManifest(layout.manifest(id))
  if (manifest === null) return null
  const { key, metadata = {} } = manifest
  const committed = await finishCommit(context, id, manifest)
  const offset = committed?.size ?? (await makeDurable(context, id, fence, lock, manifest))
  if (offset === null) return null
  return { id, key, metadata, offset, committed, expires: expiry(context, id) }
}

/** Makes the received bytes durable and returns their number; `null` if no upload is left. */
async function makeDurable(
  context: FsParts<'layout' | 'disk' | 'locks' | 'commits' | 'space'>,
  id: string,
  fence: string,
  lock: Lock,
  { offset, boot }: FsManifest,
): Promise<number | null> {
  const part = lstatSync(context.layout.part(id), { throwIfNoEntry: false })
  const asPaused = part?.size === offset && part.nlink === 1 && boot === currentBoot() && lock.proven
  if (asPaused) return offset
  const resumed = await takeOver(context, id, fence, lock)
  await resumed?.staging.pause(resumed.size)
  return resumed?.size ?? null
}
