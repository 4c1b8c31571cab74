import { lstat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { SweepReport } from '../../contract/reports.ts'
import { step } from '../../session/step.ts'
import type { BlobRecord } from '../../values/blob-record.ts'
import { RANDOM_ID } from '../../values/random-id.ts'
import { hasCode, isThere, removeIfThere } from '../disk/files.ts'
import type { Layout } from '../disk/layout.ts'
import { explainFailure } from '../disk/read-entry.ts'
import { namesBelow } from '../disk/shards.ts'
import type { FsContext, FsParts } from '../fs-context.ts'
import { hasBytes } from '../objects/blobs.ts'
import { readAllRecords } from '../objects/records.ts'
import { lockedIds, recoverStaging } from './recover.ts'
import { UnknownClaims } from './unknown-claims.ts'

/**
 * Removes files that killed processes and expired uploads left. Each of the three steps that find orphans takes the
 * result of the step before it, because their order matters. A blob that the first step lists and that has no lock in
 * the second step was published by then or never will be. So the third step sees its record, or the record was replaced
 * since.
 */
export async function sweepStore(context: FsContext): Promise<SweepReport> {
  const recovery = await step('recover uploads', () => recoverStaging(context, { expire: true }))
  const listed = await step('list blobs', () => listBlobs(context))
  const unlocked = await step('read locks', () => readLocks(context, listed))
  const orphans = await step('read records', () => findOrphans(context, unlocked))
  const removed = await step('remove orphans', () => removeOrphans(context, orphans))
  const digests = await step('remove digest links', () => removeDigests(context, removed))
  const { blobs, bytes, damaged } = removed
  return { ...recovery, blobs, bytes, digests, damaged }
}

const DIGEST = /^[\da-f]{64}$/

interface Listed {
  /** Paths of all blobs. */
  readonly blobs: ReadonlySet<string>
}

interface Unlocked extends Listed {
  /** Ids that were locked after the blobs were listed. */
  readonly locked: ReadonlySet<string>
}

interface Orphans {
  /** Blobs that no record names. */
  readonly paths: readonly string[]
  /** How many records cannot be read. */
  readonly damaged: number
  /** Digests of records whose blob is missing, unusable or of another size. Their digest links may be the last good bytes. */
  readonly incomplete: ReadonlySet<string>
}

interface Removed extends Omit<Orphans, 'paths'> {
  readonly blobs: number
  readonly bytes: number
}

async function listBlobs({ layout, damage }: FsParts<'layout' | 'damage'>): Promise<Listed> {
  const blobs = new Set<string>()
  for await (const path of namesBelow(layout.blobs, RANDOM_ID, reporter(damage))) blobs.add(path)
  return { blobs }
}

async function readLocks(context: FsParts<'layout' | 'locks'>, listed: Listed): Promise<Unlocked> {
  return { ...listed, locked: await lockedIds(context) }
}

async function findOrphans(
  { layout, damage }: FsParts<'layout' | 'damage'>,
  { blobs, locked }: Unlocked,
): Promise<Orphans> {
  const onUnusable = reporter(damage)
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
    // The damage may be in the record's blob id.
    if (!blobs.has(blob) && isMissing(blob)) claims.addOlderThan(path)
    if (!isIntact(layout, record)) incomplete.add(record.object.digest)
  }
  await claims.addQuarantine()
  const paths = [...blobs].filter(
    (path) => !named.has(path) && !locked.has(basename(path)) && !claims.has(path),
  )
  return { damaged, paths, incomplete }
}

async function removeOrphans(
  context: FsParts<'damage'>,
  { paths, damaged, incomplete }: Orphans,
): Promise<Removed> {
  let [blobs, bytes] = [0, 0]
  for (const path of paths) {
    const removed = await removeOrphan(context, path)
    blobs += Number(removed !== null)
    bytes += removed ?? 0
  }
  return { blobs, bytes, damaged, incomplete }
}

/** Removes digest links whose blobs are gone, and returns their number. */
async function removeDigests(
  { layout, damage }: FsParts<'layout' | 'damage'>,
  { incomplete }: Removed,
): Promise<number> {
  let digests = 0
  for await (const path of namesBelow(layout.digests, DIGEST, reporter(damage))) {
    if (!incomplete.has(basename(path)) && (await isLastLink(path)))
      digests += Number(await removeIfThere(path))
  }
  return digests
}

function reporter(damage: FsContext['damage']): (path: string, error: unknown) => void {
  return (path, error) => damage.report(path, explainFailure(error))
}

/** Returns whether the blob is missing. A blob that cannot be inspected, as in a folder that loops, counts as missing. */
function isMissing(path: string): boolean {
  try {
    return !isThere(path)
  } catch {
    return true
  }
}

/** Returns whether the blob of the record is a file of the right length. One that cannot be inspected is not. */
function isIntact(layout: Layout, record: BlobRecord): boolean {
  try {
    return hasBytes(layout, record)
  } catch {
    return false
  }
}

/** Removes an orphan. Resolves to the number of freed bytes, or to `null` if it is not a file of the store. */
async function removeOrphan({ damage }: FsParts<'damage'>, path: string): Promise<number | null> {
  const stats = await lstat(path).catch(() => null)
  if (stats === null) return 0
  if (!stats.isFile()) {
    damage.report(path, 'It is not a regular file.')
    return null
  }
  // The two links are the blob and its digest link, which is removed next.
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
