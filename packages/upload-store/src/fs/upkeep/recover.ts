import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecoverReport } from '../../contract/reports.ts'
import { StoreError } from '../../contract/store-error.ts'
import { isThere, removeIfThere } from '../disk/files.ts'
import { explainFailure, UnreadableEntry } from '../disk/read-entry.ts'
import type { FsContext, FsParts } from '../fs-context.ts'
import { lockId } from '../locks/lock.ts'
import { readManifest } from '../staging/manifest.ts'
import { expiry, finishCommit } from '../staging/receipt.ts'
import { discardFiles, OWN_FILE, uploadIds } from '../staging/staged-files.ts'

interface Recovery extends RecoverReport {
  readonly expired: number
}

/** Pauses the uploads that killed processes left in `staging/`, if they can be resumed, and removes the others. */
export async function recoverStaging(
  context: FsContext,
  { expire }: { readonly expire: boolean },
): Promise<Recovery> {
  const { staging } = context.layout
  const names = await namesIn(context, staging)
  const count = { paused: 0, discarded: 0, busy: 0, expired: 0, nothing: 0 }
  for (const id of uploadIds(names)) count[await recoverOne(context, id, expire)]++
  await removeOwnFiles(context, names, count)
  // Drafts of FORMAT, left by processes that ended while they first opened the store.
  for (const name of names) if (/^format-\d+\.tmp$/.test(name)) await removeIfThere(join(staging, name))
  removeLocks(context, names)
  const { nothing: _, ...report } = count
  return report
}

/** Removes the files of uploads that only a process knew of that is gone. */
async function removeOwnFiles(
  { layout, locks }: FsParts<'layout' | 'locks'>,
  names: readonly string[],
  count: { discarded: number; busy: number },
): Promise<void> {
  const gone = new Map<string, boolean>()
  for (const name of names) {
    const [, , owner, kind] = OWN_FILE.exec(name) ?? []
    if (owner === undefined) continue
    const isGone = gone.get(owner) ?? locks.isGone(owner)
    gone.set(owner, isGone)
    const path = join(layout.staging, name)
    const wasThere = isGone ? await removeIfThere(path) : isThere(path)
    if (kind === 'part' && wasThere) count[isGone ? 'discarded' : 'busy']++
  }
}

async function recoverOne(
  context: FsContext,
  id: string,
  expire: boolean,
): Promise<'paused' | 'discarded' | 'expired' | 'busy' | 'nothing'> {
  const { layout, locks } = context
  const lock = locks.tryAcquire(id)
  if (lock === null) return isThere(layout.part(id)) ? 'busy' : 'nothing'
  try {
    // Read under the lock, because its owner may have paused or ended the upload since its files were listed.
    const manifest = await readManifest(layout.manifest(id)).catch((error) =>
      nullIfDamaged(context, id, error),
    )
    if (manifest === undefined) return 'busy'
    const committed = manifest !== null && (await finishCommit(context, id, manifest)) !== null
    const staged = isThere(layout.part(id))
    const lives = !expire || Date.now() < expiry(context, id)
    if (manifest !== null && lives && (staged || committed)) return staged ? 'paused' : 'nothing'
    await discardFiles(context, id)
    if (!staged) return 'nothing'
    return manifest === null ? 'discarded' : 'expired'
  } finally {
    lock.release()
  }
}

/**
 * Returns `null` for a damaged manifest. Returns `undefined` for one that cannot be read now, for example for lack of
 * descriptors, because that is no reason to remove an upload.
 */
function nullIfDamaged(
  { layout, damage }: FsParts<'layout' | 'damage'>,
  id: string,
  error: unknown,
): null | undefined {
  if (!(error instanceof StoreError && error.code === 'CORRUPT')) return undefined
  damage.report(layout.manifest(id), explainFailure(error))
  return error instanceof UnreadableEntry ? undefined : null
}

/** Returns the names of the store's files in `staging/`. Reports any other entry and keeps it. */
async function namesIn({ damage }: FsParts<'damage'>, staging: string): Promise<readonly string[]> {
  const names: string[] = []
  for (const entry of await readdir(staging, { withFileTypes: true })) {
    const isOurs = entry.isFile() || (entry.isSymbolicLink() && entry.name.endsWith('.fence'))
    if (isOurs) names.push(entry.name)
    else damage.report(join(staging, entry.name), 'It is not a file of the store.')
  }
  return names
}

/** Removes the locks of owners that are gone. */
function removeLocks({ layout, locks }: FsParts<'layout' | 'locks'>, names: readonly string[]): void {
  const named = namesBefore('.lock', names)
  for (const name of named) locks.tryAcquire(name)?.release()
  // A lock that succeeds a removed lock is never acquired again. Its removal makes the lock that succeeds it removable,
  // too.
  for (let left = namesBefore('.next', names); ; ) {
    const living = new Set([
      ...named.map((name) => `${lockId(layout.lock(name))}.${name}`),
      ...left.map((lock) => `${lockId(layout.next(lock))}.${lock.slice(lock.indexOf('.') + 1)}`),
    ])
    const removed = left.filter((lock) => !living.has(lock) && locks.removeStaleNext(layout.next(lock)))
    if (removed.length === 0) break
    left = left.filter((lock) => !removed.includes(lock))
  }
  locks.removeDeadOwners()
}

/** Returns the ids that are or may be locked. */
export async function lockedIds({
  layout,
  locks,
}: FsParts<'layout' | 'locks'>): Promise<ReadonlySet<string>> {
  const names = await readdir(layout.staging)
  const own = names.flatMap((name) => OWN_FILE.exec(name)?.[1] ?? [])
  return new Set([...namesBefore('.lock', names), ...own, ...locks.heldHere()])
}

function namesBefore(ending: string, names: readonly string[]): readonly string[] {
  return names.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length))
}
