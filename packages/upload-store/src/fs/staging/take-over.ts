import { constants } from 'node:fs'
import { chmod, copyFile, type FileHandle, lstat, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StoreError } from '../../contract/store-error.ts'
import type { Resumed } from '../../session/driver.ts'
import type { Disk } from '../disk/disk.ts'
import { hasCode, removeIfThere } from '../disk/files.ts'
import type { FsParts } from '../fs-context.ts'
import { checkFence, claimFence } from '../locks/fence.ts'
import type { Lock } from '../locks/lock.ts'
import { currentBoot } from '../locks/owner.ts'
import { FileStaging } from './file-staging.ts'
import { type FsManifest, formatManifest, readManifest } from './manifest.ts'
import { finishCommit } from './receipt.ts'
import { discardFiles, leaveReceipt } from './staged-files.ts'

/**
 * How long the writer of an upload may take to release it, in ms. It notices a claim within 40 ms, but may be stopped, and a
 * client waits for the response. The claim stays: the writer obeys it when it runs again.
 */
const CLAIM_PATIENCE = 5000

/** Claims the upload, and waits until its writer has released it. */
export async function claim(
  { layout, locks }: FsParts<'layout' | 'locks'>,
  id: string,
  fence: string,
): Promise<Lock> {
  claimFence(layout.fence(id), fence)
  const proceed = () => checkFence(layout.fence(id), fence)
  return locks.acquire(id, { patience: CLAIM_PATIENCE, proceed })
}

/** The same, and tells nobody where nobody writes. */
export async function acquireOrClaim(
  context: FsParts<'layout' | 'locks'>,
  id: string,
  fence: string,
): Promise<Lock> {
  return context.locks.tryAcquire(id) ?? claim(context, id, fence)
}

/** Opens what the session before has left; call under its lock. */
export async function takeOver(
  context: FsParts<'layout' | 'disk' | 'locks' | 'commits' | 'space'>,
  id: string,
  fence: string,
  lock: Lock,
): Promise<Resumed | null> {
  const { layout, disk, space } = context
  const manifest = await readManifest(layout.manifest(id))
  if (manifest !== null && (await finishCommit(context, id, manifest)) !== null) {
    await leaveReceipt(context, id)
    lock.release()
    return null
  }
  const file = manifest === null ? null : await openPart(disk, layout.part(id), lock.proven)
  if (manifest === null || file === null) {
    // Ended while we waited.
    await discardFiles(context, id)
    lock.release()
    return null
  }
  try {
    const size = await trustedSize(file, manifest)
    if (manifest.boot !== currentBoot()) {
      await disk.sync(file)
      await disk.replaceFile(layout.manifest(id), formatManifest({ ...manifest, boot: currentBoot() }))
    }
    const reservation = space.reserve(id, Math.max(0, manifest.expectedSize - size), size)
    const pausedAt = manifest.offset
    const parts = { id, manifest, lock, file, reservation, fence, known: true, pausedAt }
    const staging = new FileStaging(context, parts)
    const bytes = (start: number) => file.createReadStream({ start, end: size - 1, autoClose: false })
    return { staging, manifest, size, bytes }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** `null` where there is none. */
async function openPart(disk: Disk, path: string, proven: boolean): Promise<FileHandle | null> {
  try {
    // Sealed, and perhaps linked as a blob by a process that died right then: other objects may share these bytes. Or its
    // writer is only silent, frozen in a container that nobody can see into, and goes on when it wakes.
    const stats = await lstat(path)
    if (!stats.isFile())
      throw new StoreError(
        'CORRUPT',
        'The bytes of the upload are not in a regular file. Create a new upload.',
      )
    if (stats.nlink > 1 || !proven) await copyAway(disk, path)
    await chmod(path, 0o600)
    const file = await open(path, 'r+')
    // As it will be as a blob; where that fails it is so only later.
    await chmod(path, 0o440).catch(() => {})
    return file
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

/** Puts a copy in the place of a file, so that nobody else has it open or under another name. */
async function copyAway(disk: Disk, path: string): Promise<void> {
  const copy = `${path}.tmp`
  await removeIfThere(copy)
  await copyFile(path, copy, constants.COPYFILE_FICLONE)
  await disk.syncPath(copy)
  await rename(copy, path)
  await disk.syncDirectory(dirname(path))
}

/** A page cache outlives a killed process. What was written behind the durable offset before a power cut may be anything. */
async function trustedSize(file: FileHandle, { offset, boot }: FsManifest): Promise<number> {
  const { size } = await file.stat()
  if (size < offset) {
    throw new StoreError(
      'CORRUPT',
      `The upload has ${size} bytes on disk, but ${offset} were made durable. Create a new upload.`,
    )
  }
  if (boot !== '' && boot === currentBoot()) return size
  await file.truncate(offset)
  return offset
}
