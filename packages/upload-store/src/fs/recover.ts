import { statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecoverReport } from '../reports.ts'
import { StoreError } from '../store-error.ts'
import { discardFiles } from './file-staging.ts'
import { removeIfThere } from './files.ts'
import type { FsContext } from './fs-context.ts'
import { readIntent } from './intent.ts'
import { lockId } from './lock.ts'
import { isCommitted, lastSign } from './receipt.ts'

interface Recovery extends RecoverReport {
  readonly expired: number
}

/**
 * Brings what killed processes left in `staging/` back to a state: paused where somebody may resume it, else removed.
 *
 * @param expireAfter ms of silence after which a paused session is removed too
 */
export async function recoverStaging(context: FsContext, expireAfter: number): Promise<Recovery> {
  const { staging } = context.layout
  const names = await readdir(staging)
  const count = { paused: 0, discarded: 0, busy: 0, expired: 0, nothing: 0 }
  for (const id of idsOf(names)) count[await recoverOne(context, id, expireAfter)]++
  // Of processes that opened the store for the first time and ended before they had.
  for (const name of names) if (/^format-\d+\.tmp$/.test(name)) await removeIfThere(join(staging, name))
  removeLocks(context, names)
  const { nothing: _, ...report } = count
  return report
}

/** What a session or a publication has left behind, told by the ids in front. */
function idsOf(names: readonly string[]): Set<string> {
  const ids = names.map(
    (name) => /^([\w-]{22})\.(?:part|part\.tmp|json|json\.tmp|epoch|record)$/.exec(name)?.[1],
  )
  return new Set(ids.filter((id) => id !== undefined))
}

async function recoverOne(
  context: FsContext,
  id: string,
  expireAfter: number,
): Promise<'paused' | 'discarded' | 'expired' | 'busy' | 'nothing'> {
  const { layout, locks } = context
  const lock = locks.tryAcquire(id)
  if (lock === null) return isThere(layout.part(id)) ? 'busy' : 'nothing'
  try {
    // Only now: its owner may have paused or ended it since its files were listed.
    const intent = await readIntent(layout.intent(id)).catch(nullIfCorrupt)
    if (intent === undefined) return 'busy'
    const committed = intent !== null && (await isCommitted(context, id, intent))
    const staged = isThere(layout.part(id))
    const lives = Date.now() - lastSign(layout, id) < expireAfter
    if (intent !== null && lives && (staged || committed)) return staged ? 'paused' : 'nothing'
    await discardFiles(context, id)
    if (!staged) return 'nothing'
    return intent === null ? 'discarded' : 'expired'
  } finally {
    lock.release()
  }
}

/** An intent that cannot be read for want of descriptors, say, is no reason to remove an upload: `undefined`. */
function nullIfCorrupt(error: unknown): null | undefined {
  return error instanceof StoreError && error.code === 'CORRUPT' ? null : undefined
}

/** Frees the locks of owners that are gone. */
function removeLocks({ layout, locks }: FsContext, names: readonly string[]): void {
  const named = (ending: string) =>
    names.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length))
  for (const name of named('.lock')) locks.tryAcquire(name)?.release()
  // One that succeeds a lock that is no more will never be asked for; and when it goes, nor will the one that succeeds it.
  for (let left = named('.next'); ; ) {
    const living = new Set([
      ...named('.lock').map((name) => `${lockId(layout.lock(name))}.${name}`),
      ...left.map((lock) => `${lockId(layout.next(lock))}.${lock.slice(lock.indexOf('.') + 1)}`),
    ])
    const removed = left.filter((lock) => !living.has(lock) && locks.removeStaleNext(layout.next(lock)))
    if (removed.length === 0) break
    left = left.filter((lock) => !removed.includes(lock))
  }
  locks.removeDeadOwners()
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

/** The ids that somebody holds a lock of, or may. */
export async function lockedIds({ layout, locks }: FsContext): Promise<ReadonlySet<string>> {
  const names = await readdir(layout.staging)
  const linked = names.filter((name) => name.endsWith('.lock')).map((name) => name.slice(0, -'.lock'.length))
  return new Set([...linked, ...locks.heldHere()])
}
