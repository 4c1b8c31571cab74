import { constants } from 'node:fs'
import { chmod, copyFile, type FileHandle, lstat, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StoreError } from '../../contract/store-error.ts'
import type { Resumed } from '../../session/driver.ts'
import type { Disk } from '../disk/disk.ts'
import { hasCode, removeIfThere } from '../disk/files.ts'
import { statFile } from '../disk/stat-file.ts'
import type { FsParts } from '../fs-context.ts'
import { checkFence, claimFence, isClaimed } from '../locks/fence.ts'
import type { Lock } from '../locks/lock.ts'
import { currentBoot } from '../locks/owner.ts'
import { FileStaging, PART_MODE } from './file-staging.ts'
import type { KeptUpload, KeptUploads } from './kept-uploads.ts'
import type { FsManifest } from './manifest.ts'
import { ManifestFile } from './manifest-file.ts'

/**
 * How long the writer of an upload may take to release it, in ms. It notices a claim within 40 ms, but may be stopped, and a
 * client waits for the response. The claim stays: the writer obeys it when it runs again.
 */
const CLAIM_PATIENCE = 5000

/**
 * Returns the upload's lock. Claims the upload if another writer holds the lock, or has claimed it before, and waits until
 * it is released.
 */
export async function acquireOrClaim(
  { layout, locks }: FsParts<'layout' | 'locks'>,
  id: string,
  fence: string,
): Promise<Lock> {
  const path = layout.fence(id)
  const free = isClaimed(path) ? null : locks.tryAcquire(id)
  if (free !== null) return free
  claimFence(path, fence)
  return locks.acquire(id, { patience: CLAIM_PATIENCE, proceed: () => checkFence(path, fence) })
}

type Context = FsParts<'layout' | 'disk' | 'locks' | 'commits' | 'space'> & { readonly kept: KeptUploads }

/** An upload that is opened under its lock. */
interface Opened {
  readonly manifest: FsManifest
  readonly file: FileHandle
  readonly manifestFile: ManifestFile
  /** The number of bytes that can be trusted; the file has no others. */
  readonly size: number
}

/** Continues with the files that this process has kept open. Call under the upload's lock. */
export function reuse(context: Context, id: string, fence: string, lock: Lock, kept: KeptUpload): Resumed {
  return resumed(context, id, fence, lock, { ...kept, size: Number(kept.part.size) })
}

/**
 * Opens the files of an unfinished upload for writing, or resolves to `null` if it has no bytes. Call under its lock,
 * which stays the caller's if this fails.
 */
export async function takeOver(
  context: Context,
  id: string,
  fence: string,
  lock: Lock,
  manifest: FsManifest,
): Promise<Resumed | null> {
  const opened = await openUpload(context, id, lock, manifest)
  return opened && resumed(context, id, fence, lock, opened)
}

/** Makes all bytes of an unfinished upload durable. Resolves to their number, or to `null` if it has no bytes. */
export async function makeDurable(
  context: FsParts<'layout' | 'disk'>,
  id: string,
  lock: Lock,
  manifest: FsManifest,
): Promise<number | null> {
  const opened = await openUpload(context, id, lock, manifest)
  if (opened === null) return null
  const { file, manifestFile, size } = opened
  try {
    await context.disk.sync(file)
    await manifestFile.noteProgress({ ...opened.manifest, offset: size })
    return size
  } finally {
    await closeBoth(opened)
  }
}

/** Closes both files, also if one cannot be closed. What was synced is durable then. */
async function closeBoth({ file, manifestFile }: Pick<Opened, 'file' | 'manifestFile'>): Promise<void> {
  await Promise.allSettled([file.close(), manifestFile.close()])
}

async function openUpload(
  { layout, disk }: FsParts<'layout' | 'disk'>,
  id: string,
  lock: Lock,
  manifest: FsManifest,
): Promise<Opened | null> {
  const file = await openPart(disk, layout.part(id), lock.proven)
  if (file === null) return null
  const path = layout.manifest(id)
  const manifestFile = new ManifestFile(disk, path, Number(statFile(path)?.size))
  try {
    const size = await trustedSize(file, manifest)
    if (manifest.boot === currentBoot()) return { manifest, file, manifestFile, size }
    await disk.sync(file)
    const now = { ...manifest, boot: currentBoot() }
    await manifestFile.replace(now)
    return { manifest: now, file, manifestFile, size }
  } catch (error) {
    await closeBoth({ file, manifestFile })
    throw error
  }
}

function resumed(
  context: Context,
  id: string,
  fence: string,
  lock: Lock,
  { manifest, file, manifestFile, size }: Opened,
): Resumed {
  const { offset: durable, committing, expectedSize } = manifest
  const reservation = context.space.reserve(id, Math.max(0, expectedSize - size), size)
  const files = { id, manifest, hold: lock, file, manifestFile, reservation, fence }
  const isSynced = size === durable
  const staging = new FileStaging(context, { ...files, durable, committing, isSynced })
  const bytes = (start: number) => file.createReadStream({ start, end: size - 1, autoClose: false })
  return { staging, manifest, size, bytes }
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
    // It is read-only if it was sealed, or paused by an earlier version.
    if ((stats.mode & PART_MODE) !== PART_MODE) await chmod(path, PART_MODE)
    return await open(path, 'r+')
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
