import { type FileHandle, open } from 'node:fs/promises'
import type { Manifest, Resumed, Staging, StagingArea } from '../../session/driver.ts'
import { step } from '../../session/step.ts'
import { RANDOM_ID, randomId } from '../../values/random-id.ts'
import { isThere, removeIfThere, withStoreErrors } from '../disk/files.ts'
import type { FsContext } from '../fs-context.ts'
import { checkFence } from '../locks/fence.ts'
import type { Lock, Ownership } from '../locks/lock.ts'
import { bringFile } from './bring-file.ts'
import { FileStaging, PART_MODE, SEALED_MODE } from './file-staging.ts'
import { findLocked, getUpload, interruptLocked, keptState } from './interrupt.ts'
import { KeptUploads } from './kept-uploads.ts'
import { readManifest } from './manifest.ts'
import { ManifestFile } from './manifest-file.ts'
import { discardFiles, leaveReceipt, resumableIds } from './staged-files.ts'
import { acquireOrClaim, reuse, takeOver } from './take-over.ts'

type Context = FsContext & { readonly kept: KeptUploads }

/** Stages each upload in its own file, which becomes a blob without a copy. */
export function fsStagingArea(stored: FsContext): StagingArea {
  const { layout } = stored
  const kept = new KeptUploads(layout)
  const context = { ...stored, kept }
  return {
    create: (id, manifest) => create(context, id, manifest),
    createFromFile: (id, manifest, { path, by, accept }) =>
      createWith(context, id, manifest, (part) => bringFile(path, part, { by, mode: SEALED_MODE, accept })),
    resume: async (id) => {
      const fence = randomId()
      return (await exists(context, id)) ? resume(context, id, fence) : null
    },
    interrupt: async (id) =>
      keptState(context, id) ?? withUpload(context, id, (lock) => interruptLocked(context, id, lock)),
    list: () => resumableIds(layout),
    get: async (id) => (RANDOM_ID.test(id) ? getUpload(context, id) : null),
    delete: async (id) => {
      const deleted = await withUpload(context, id, () => deleteLocked(context, id))
      kept.drop(id)
      return deleted ?? false
    },
    leaveReceipt: async (id, whole) => {
      const left = await withUpload(context, id, () => leaveReceiptLocked(context, id, whole))
      kept.drop(id)
      return left ?? false
    },
    close: () => kept.close(),
  }
}

async function create(context: Context, id: string, manifest: Manifest): Promise<Staging> {
  const mode = manifest.metadata === undefined ? SEALED_MODE : PART_MODE
  return createWith(context, id, manifest, (part) => open(part, 'wx+', mode))
}

/** @param openPart creates the part, with or without bytes */
async function createWith(
  context: Context,
  id: string,
  manifest: Manifest,
  openPart: (part: string) => Promise<FileHandle>,
): Promise<Staging> {
  const { layout, locks, disk, space } = context
  const known = manifest.metadata !== undefined
  const own = known ? undefined : locks.own()
  const part = own === undefined ? layout.part(id) : layout.ownPart(id, own.owner)
  const reservation = space.reserve(id, manifest.expectedSize, 0, part)
  let hold: Lock | Ownership | undefined = own
  try {
    await reservation.check()
    hold ??= await withStoreErrors(locks.acquire(id))
    const file = await withStoreErrors(openPart(part))
    const manifestFile = new ManifestFile(disk, layout.manifest(id), Number.POSITIVE_INFINITY)
    const files = { id, manifest, hold, file, manifestFile, reservation, fence: randomId() }
    const staging = new FileStaging(context, { ...files, durable: 0, committing: undefined, isSynced: false })
    return await announce(staging, manifest)
  } catch (error) {
    await removeIfThere(part).catch(() => {})
    hold?.release()
    reservation.release(0)
    throw error
  }
}

/** Writes the first manifest if the upload is to be resumable from the start. */
async function announce(staging: FileStaging, manifest: Manifest): Promise<FileStaging> {
  try {
    if (manifest.metadata !== undefined) await staging.setManifest(manifest)
    return staging
  } catch (error) {
    await staging.discard().catch(() => {})
    throw error
  }
}

async function resume(context: Context, id: string, fence: string): Promise<Resumed | null> {
  const lock = await withStoreErrors(acquireOrClaim(context, id, fence))
  let resumed: Resumed | null = null
  try {
    checkFence(context.layout.fence(id), fence)
    resumed = await withStoreErrors(resumeLocked(context, id, fence, lock))
    return resumed
  } finally {
    // A resumed upload holds the lock until it is paused or ended.
    if (resumed === null) lock.release()
  }
}

async function resumeLocked(
  context: Context,
  id: string,
  fence: string,
  lock: Lock,
): Promise<Resumed | null> {
  const kept = lock.proven ? context.kept.take(id) : undefined
  if (kept !== undefined) return reuse(context, id, fence, lock, kept)
  const found = await findLocked(context, id)
  const resumed =
    found.kind === 'unfinished' ? await takeOver(context, id, fence, lock, found.manifest) : null
  if (resumed !== null) return resumed
  // The upload ended while this process waited for the lock.
  await (found.kind === 'committed' ? leaveReceipt(context, id) : discardFiles(context, id))
  return null
}

/** Stops any writer of the upload and runs `task` under its lock. Resolves to `null` if there is no such upload. */
async function withUpload<T>(
  context: Context,
  id: string,
  task: (lock: Lock) => Promise<T>,
): Promise<T | null> {
  if (!(await exists(context, id))) return null
  const lock = await withStoreErrors(acquireOrClaim(context, id, randomId()))
  try {
    return await withStoreErrors(task(lock))
  } finally {
    lock.release()
  }
}

/** Whether there is an upload or a receipt with this id. */
async function exists({ layout }: Pick<Context, 'layout'>, id: string): Promise<boolean> {
  if (!RANDOM_ID.test(id)) return false
  const path = layout.manifest(id)
  // Reading explains why it is missing, if the whole directory is.
  return isThere(path) || (await readManifest(path)) !== null
}

async function deleteLocked(context: Context, id: string): Promise<boolean> {
  // Finishes an interrupted commit, whose object is kept.
  const found = await findLocked(context, id)
  if (found.kind !== 'gone') await discardFiles(context, id)
  return found.kind !== 'gone'
}

async function leaveReceiptLocked(context: Context, id: string, whole: string): Promise<boolean> {
  const found = await findLocked(context, id)
  if (found.kind !== 'unfinished') return found.kind === 'committed'
  const { layout, disk } = context
  const committing = (await getUpload(context, whole))?.committed
    ? (await readManifest(layout.manifest(whole)))?.committing
    : undefined
  if (committing === undefined) return false
  // From here on, the part counts as committed: a crash before the next step leaves bytes that the next reader removes.
  const manifestFile = new ManifestFile(disk, layout.manifest(id), Number.POSITIVE_INFINITY)
  await step('write receipt of part', () => manifestFile.replace({ ...found.manifest, committing }))
  await step('remove part', () => leaveReceipt(context, id))
  return true
}
