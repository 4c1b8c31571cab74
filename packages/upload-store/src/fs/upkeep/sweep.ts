import { lstat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { SweepReport } from '../../contract/reports.ts'
import { RANDOM_ID } from '../../values/random-id.ts'
import { hasCode, isThere, removeIfThere } from '../disk/files.ts'
import { explainFailure } from '../disk/read-entry.ts'
import { namesBelow } from '../disk/shards.ts'
import type { FsContext, FsParts } from '../fs-context.ts'
import { readAllRecords } from '../objects/records.ts'
import { lockedIds, recoverStaging } from './recover.ts'
import { UnknownClaims } from './unknown-claims.ts'

/** Removes what killed processes and expired sessions left, and what belongs to nothing. */
export async function sweepStore(context: FsContext): Promise<SweepReport> {
  const { layout, damage } = context
  const recovery = await recoverStaging(context, { expire: true })
  const { damaged, paths, incomplete } = await findOrphans(context)
  let [blobs, bytes, digests] = [0, 0, 0]
  for (const path of paths) {
    const removed = await removeOrphan(context, path)
    blobs += Number(removed !== null)
    bytes += removed ?? 0
  }
  const onUnusable = (path: string, error: unknown) => damage.report(path, explainFailure(error))
  for await (const path of namesBelow(layout.digests, DIGEST, onUnusable)) {
    if (!incomplete.has(basename(path)) && (await isLastLink(path)))
      digests += Number(await removeIfThere(path))
  }
  return { ...recovery, blobs, bytes, digests, damaged }
}

const DIGEST = /^[\da-f]{64}$/

/**
 * Blobs that no record names. The order of the three steps matters: a blob that was listed by the first one and had no
 * lock in the second was published by then, if ever, so the third one sees its record; or it was replaced since.
 */
async function findOrphans(context: FsParts<'layout' | 'locks' | 'damage'>): Promise<Orphans> {
  const { layout, damage } = context
  const blobs = new Set<string>()
  const onUnusable = (path: string, error: unknown) => damage.report(path, explainFailure(error))
  for await (const path of namesBelow(layout.blobs, RANDOM_ID, onUnusable)) blobs.add(path)
  const locked = await lockedIds(context)
  const claims = new UnknownClaims(layout, blobs)
  const named = new Set<string>()
  const incomplete = new Set<string>()
  let damaged = 0
  const records = readAllRecords(layout, (shard, error) => {
    onUnusable(shard, error)
    claims.addOlderThan(shard)
  })
  for await (const { path, record, error } of records) {
    if (record === null) {
      damaged++
      onUnusable(path, error)
      claims.add(path)
      continue
    }
    const blob = layout.blob(record.blob)
    named.add(blob)
    // Its id may be what is damaged, and its digest link may be all that is left of the bytes.
    if (!blobs.has(blob) && isMissing(blob)) {
      claims.addOlderThan(path)
      incomplete.add(record.object.digest)
    }
  }
  await claims.addQuarantine()
  const paths = [...blobs].filter(
    (path) => !named.has(path) && !locked.has(basename(path)) && !claims.has(path),
  )
  return { damaged, paths, incomplete }
}

/** A blob that cannot be looked at is not missing. */
function isMissing(path: string): boolean {
  try {
    return !isThere(path)
  } catch {
    return false
  }
}

interface Orphans {
  readonly damaged: number
  readonly paths: readonly string[]
  /** Digests of records whose blob is missing. */
  readonly incomplete: ReadonlySet<string>
}

/** Removes an orphan; resolves to the bytes that are free now, or `null` if it is no file of the store. */
async function removeOrphan({ damage }: FsParts<'damage'>, path: string): Promise<number | null> {
  const stats = await lstat(path).catch(() => null)
  if (stats === null) return 0
  if (!stats.isFile()) {
    damage.report(path, 'It is not a regular file.')
    return null
  }
  // Two links: the blob and the one under its digest, which is removed next.
  return (await removeIfThere(path)) && stats.nlink <= 2 ? stats.size : 0
}

async function isLastLink(path: string): Promise<boolean> {
  try {
    const stats = await lstat(path)
    return stats.isFile() && stats.nlink === 1
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}
