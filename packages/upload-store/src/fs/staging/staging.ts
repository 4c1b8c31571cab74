import { open } from 'node:fs/promises'
import type { UploadMeta } from '../../contract/upload-session.ts'
import type { StagingArea } from '../../session/driver.ts'
import { RANDOM_ID, randomId } from '../../values/random-id.ts'
import { withStoreErrors } from '../disk/files.ts'
import type { FsContext } from '../fs-context.ts'
import { checkEpoch } from '../locks/fence.ts'
import type { Lock } from '../locks/lock.ts'
import { FileStaging } from './file-staging.ts'
import { inspectLocked, peekAt } from './interrupt.ts'
import { readIntent } from './manifest.ts'
import { finishCommit } from './receipt.ts'
import { discardFiles, resumableIds } from './staged-files.ts'
import { acquireOrClaim, claim, takeOver } from './take-over.ts'

/** Stages uploads in files of their own, which become blobs without a copy. */
export function fsStagingArea(context: FsContext): StagingArea {
  const { layout, locks, space } = context
  return {
    create: async (id, intent) => {
      const reservation = space.reserve(id, intent.expectedSize)
      try {
        await reservation.check()
        const lock = await withStoreErrors(locks.acquire(id))
        const file = await withStoreErrors(open(layout.part(id), 'wx', 0o440)).catch((error) => {
          lock.release()
          throw error
        })
        const known = intent.meta !== undefined
        const parts = { id, intent, lock, file, reservation, epoch: randomId(), known, pausedAt: 0 }
        return await announce(new FileStaging(context, parts), intent.meta)
      } catch (error) {
        reservation.release(0)
        throw error
      }
    },
    resume: async (id) => {
      if (!RANDOM_ID.test(id) || (await readIntent(layout.intent(id))) === null) return null
      const epoch = randomId()
      const lock = await withStoreErrors(claim(context, id, epoch))
      try {
        checkEpoch(layout.epoch(id), epoch)
        return await withStoreErrors(takeOver(context, id, epoch, lock))
      } catch (error) {
        lock.release()
        throw error
      }
    },
    inspect: (id) => withUpload(context, id, (epoch, lock) => inspectLocked(context, id, epoch, lock)),
    list: () => resumableIds(layout),
    peek: async (id) => (RANDOM_ID.test(id) ? peekAt(layout, id) : null),
    forget: async (id) => (await withUpload(context, id, () => forgetLocked(context, id))) ?? false,
  }
}

/** Ends whoever has the upload, and runs `task` under its lock; `null` where there is none. */
async function withUpload<T>(
  context: FsContext,
  id: string,
  task: (epoch: string, lock: Lock) => Promise<T>,
): Promise<T | null> {
  if (!RANDOM_ID.test(id) || (await readIntent(context.layout.intent(id))) === null) return null
  const epoch = randomId()
  const lock = await withStoreErrors(acquireOrClaim(context, id, epoch))
  try {
    return await withStoreErrors(task(epoch, lock))
  } finally {
    lock.release()
  }
}

async function forgetLocked(context: FsContext, id: string): Promise<boolean> {
  const intent = await readIntent(context.layout.intent(id))
  if (intent === null) return false
  // The rest of a commit that was cut short: its object stays, durably.
  await finishCommit(context, id, intent)
  await discardFiles(context, id)
  return true
}

/** Lets others know of it, where it is to be resumable from the start. */
async function announce(staging: FileStaging, meta: UploadMeta | undefined): Promise<FileStaging> {
  try {
    if (meta !== undefined) await staging.note(meta)
    return staging
  } catch (error) {
    await staging.discard().catch(() => {})
    throw error
  }
}
