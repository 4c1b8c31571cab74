import { statSync } from 'node:fs'
import type { UploadState } from '../upload-session.ts'
import type { FsContext } from './fs-context.ts'
import { type KeptIntent, readIntent } from './intent.ts'
import type { Lock } from './lock.ts'
import { currentBoot } from './owner.ts'
import { isCommitted, lastSign } from './receipt.ts'
import { takeOver } from './take-over.ts'

/** What is known of an upload; call under its lock, which may be released. */
export async function inspectLocked(
  context: FsContext,
  id: string,
  epoch: string,
  lock: Lock,
): Promise<UploadState | null> {
  const { layout, expireAfter } = context
  const intent = await readIntent(layout.intent(id))
  if (intent === null) return null
  const { key, meta = {}, committing } = intent
  const committed = (await isCommitted(context, id, intent)) ? (committing?.object ?? null) : null
  const offset = committed?.size ?? (await makeDurable(context, id, epoch, lock, intent))
  if (offset === null) return null
  return { id, key, meta, offset, committed, expires: lastSign(layout, id) + expireAfter }
}

/** How far it has come, for good; `null` where nothing is left. */
async function makeDurable(
  context: FsContext,
  id: string,
  epoch: string,
  lock: Lock,
  { offset, boot }: KeptIntent,
): Promise<number | null> {
  const part = statSync(context.layout.part(id), { throwIfNoEntry: false })
  const asPaused = part?.size === offset && part.nlink === 1 && boot === currentBoot() && lock.proven
  if (asPaused) return offset
  const resumed = await takeOver(context, id, epoch, lock)
  await resumed?.staging.pause(resumed.size)
  return resumed?.size ?? null
}
