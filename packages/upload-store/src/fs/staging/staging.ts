import { open } from 'node:fs/promises'
import type { Manifest, StagingArea } from '../../session/driver.ts'
import { RANDOM_ID, randomId } from '../../values/random-id.ts'
import { withStoreErrors } from '../disk/files.ts'
import type { FsContext, FsParts } from '../fs-context.ts'
import { checkFence } from '../locks/fence.ts'
import type { Lock } from '../locks/lock.ts'
import { FileStaging } from './file-staging.ts'
import { getUpload, interruptLocked } from './interrupt.ts'
import { readManifest } from './manifest.ts'
import { finishCommit } from './receipt.ts'
import { discardFiles, resumableIds } from './staged-files.ts'
import { acquireOrClaim, claim, takeOver } from './take-over.ts'

/** Stages each upload in its own file, which becomes a blob without a copy. */
export function fsStagingArea(context: FsContext): StagingArea {
  const { layout, locks, space } = context
  return {
    create: async (id, manifest) => {
      const reservation = space.reserve(id, manifest.expectedSize)
      try {
        await reservation.check()
        const lock = await withStoreErrors(locks.acquire(id))
        const file = await withStoreErrors(open(layout.part(id), 'wx', 0o440)).catch((error) => {
          lock.release()
          throw error
        })
        const known = manifest.metadata !== undefined
        const parts = { id, manifest, lock, file, reservation, fence: randomId(), known, pausedAt: 0 }
        return await announce(new FileStaging(context, parts), manifest)
      } catch (error) {
        reservation.release(0)
        throw error
      }
    },
    resume: async (id) => {
      if (!RANDOM_ID.test(id) || (await readManifest(layout.manifest(id))) === null) return null
      const fence = randomId()
      const lock = await withStoreErrors(claim(context, id, fence))
      try {
        checkFence(layout.fence(id), fence)
        return await withStoreErrors(takeOver(context, id, fence, lock))
      } catch (error) {
        lock.release()
        throw error
      }
    },
    interrupt: (id) => withUpload(context, id, (fence, lock) => interruptLocked(context, id, fence, lock)),
    list: () => resumableIds(layout),
    get: async (id) => (RANDOM_ID.test(id) ? getUpload(layout, id) : null),
    delete: async (id) => (await withUpload(context, id, () => deleteLocked(context, id))) ?? false,
  }
}

/** Stops any writer of the upload and runs `task` under its lock. Resolves to `null` if there is no such upload. */
async function withUpload<T>(
  context: FsParts<'layout' | 'locks'>,
  id: string,
  task: (fence: string, lock: Lock) => Promise<T>,
): Promise<T | null> {
  if (!RANDOM_ID.test(id) || (await readManifest(context.layout.manifest(id))) === null) return null
  const fence = randomId()
  const lock = await withStoreErrors(acquireOrClaim(context, id, fence))
  try {
    return await withStoreErrors(task(fence, lock))
  } finally {
    lock.release()
  }
}

async function deleteLocked(context: FsParts<'layout' | 'disk' | 'space'>, id: string): Promise<boolean> {
  const manifest = await readManifest(context.layout.manifest(id))
  if (manifest === null) return false
  // Finishes an interrupted commit, whose object is kept.
  await finishCommit(context, id, manifest)
  await discardFiles(context, id)
  return true
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
