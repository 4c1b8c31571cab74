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

/** Like `claim`, but claims the upload only if another writer holds its lock. */
export async function acquireOrClaim(
  context: FsParts<'layout' | 'locks'>,
  id: string,
  fence: string,
): Promise<Lock> {
  return context.locks.tryAcquire(id) ?? claim(context, id, fence)
}

/**
 * Opens the files of the previous session, or resolves to `null` if no unfinished upload is left. Call under its lock.
 */
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
    // The upload ended while this process waited for the lock.
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

/** Opens the upload's bytes for writing, or resolves to `null` if they do not exist. */
async function openPart(disk: Disk, path: string, proven: boolean): Promise<FileHandle | null> {
  try {
    // Copied in two cases. The file may be sealed and linked as a blob by a process that died, so that objects share
    // its bytes. Or its writer cannot be seen and is only silent, for example in a frozen container, and may write
    // again.
    const stats = await lstat(path)
    if (!stats.isFile())
      throw new StoreError(
        'CORRUPT',
        'The bytes of the upload are not in a regular file. Create a new upload.',
      )
    if (stats.nlink > 1 || !proven) await copyAway(disk, path)
    await chmod(path, 0o600)
    const file = await open(path, 'r+')
    // Read-only again, as the blob will be. A failure here is harmless.
    await chmod(path, 0o440).catch(() => {})
    return file
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

/** Replaces a file by a copy, so that no other process has it open and it has no other link. */
async function copyAway(disk: Disk, path: string): Promise<void> {
  const copy = `${path}.tmp`
  await removeIfThere(copy)
  await copyFile(path, copy, constants.COPYFILE_FICLONE)
  await disk.syncPath(copy)
  await rename(copy, path)
  await disk.syncDirectory(dirname(path))
}

/**
 * Returns the number of bytes that can be trusted, and cuts off the rest. The page cache survives a killed process, but
 * bytes after the durable offset are undefined after a power cut.
 */
async function trustedSize(file: FileHandle, { offset, boot }: FsManifest): Promise<number> {
  const { size } = await file.stat()
  if (size < offset) {
    throw new StoreError(
      'CORRUPT',
      `The upload has ${size} bytes on disk, but ${offset} were durable. Its file is damaged; send the upload again.`,
    )
  }
  if (boot !== '' && boot === currentBoot()) return size
  await file.truncate(offset)
  return offset
}
