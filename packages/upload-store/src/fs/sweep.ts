import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { RANDOM_ID } from '../random-id.ts'
import type { SweepReport } from '../reports.ts'
import { hasCode, removeIfThere } from './files.ts'
import type { FsContext } from './fs-context.ts'
import { readAllRecords } from './records.ts'
import { lockedIds, recoverStaging } from './recover.ts'
import { namesBelow } from './shards.ts'

/** Removes what killed processes and expired sessions left, and what belongs to nothing. */
export async function sweepStore(context: FsContext): Promise<SweepReport> {
  const { layout, expireAfter } = context
  const recovery = await recoverStaging(context, expireAfter)
  const { damaged, orphans } = await findOrphans(context)
  let bytes = 0
  for (const path of orphans) bytes += await removeCounting(path)
  let digests = 0
  for await (const path of namesBelow(layout.digests, /^[\da-f]{64}$/)) {
    if (await isLastLink(path)) digests += Number(await removeIfThere(path))
  }
  return { ...recovery, blobs: orphans.length, bytes, digests, damaged }
}

/**
 * Blobs that no record names. The order of the three looks matters: a blob that was there at the first one and had no
 * lock at the second was published by then, if ever, so the third one sees its record; or it was replaced since.
 */
async function findOrphans(context: FsContext): Promise<{ damaged: number; orphans: readonly string[] }> {
  const { layout } = context
  const blobs: string[] = []
  for await (const path of namesBelow(layout.blobs, RANDOM_ID)) blobs.push(path)
  const locked = await lockedIds(context)
  const named = new Set<string>()
  let damaged = 0
  for await (const { record } of readAllRecords(layout)) {
    if (record === null) damaged++
    else named.add(layout.blob(record.blob))
  }
  if (damaged > 0) return { damaged, orphans: [] }
  return { damaged, orphans: blobs.filter((path) => !named.has(path) && !locked.has(basename(path))) }
}

/** The bytes that are free now. */
async function removeCounting(path: string): Promise<number> {
  // Two links: the blob and the one under its digest, which goes next.
  const { size, nlink } = await stat(path).catch(() => ({ size: 0, nlink: 0 }))
  return (await removeIfThere(path)) && nlink <= 2 ? size : 0
}

async function isLastLink(path: string): Promise<boolean> {
  try {
    return (await stat(path)).nlink === 1
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}
