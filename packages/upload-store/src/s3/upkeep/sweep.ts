import type { RecoverReport, SweepReport } from '../../contract/reports.ts'
import { StoreError } from '../../contract/store-error.ts'
import { step } from '../../session/step.ts'
import { inBatches } from '../client/in-batches.ts'
import { abortMultipart, listMultiparts, listParts } from '../client/multipart.ts'
import type { Listed } from '../client/pages.ts'
import type { S3Context, S3Parts } from '../context/context.ts'
import { readManifest } from '../staging/claim.ts'
import type { S3Manifest } from '../staging/manifest.ts'
import { deleteUpload, expiry } from '../staging/staging-area.ts'

interface Uploads {
  /** Blobs that were listed before the uploads were read. */
  readonly blobs: readonly Listed[]
  readonly report: RecoverReport
  readonly expired: readonly string[]
  /** The names of objects and the ids of multipart uploads that the uploads need. */
  readonly needed: ReadonlySet<string>
  readonly staged: readonly Listed[]
}

/**
 * Counts the uploads. A crash needs no recovery here, because the process that resumes an upload finishes its commit.
 */
export async function recoverUploads(
  context: S3Parts<'bucket' | 'names' | 'limits'>,
): Promise<RecoverReport> {
  return (await readUploads(context, [])).report
}

/**
 * Removes expired uploads, and orphaned objects that are older than the grace period. Each of the steps that find
 * orphans takes the result of the step before it, because their order matters: an upload that commits meanwhile has its
 * blob in the list, and then either its manifest or its record names the blob.
 */
export async function sweepStore(context: S3Context): Promise<SweepReport> {
  const { bucket, names, leftovers } = context
  await step('retry removals', () => leftovers.retry())
  const blobs = await step('list blobs', () => collect(bucket.list(names.blobs)))
  const uploads = await step('read uploads', () => readUploads(context, blobs))
  const expired = await step('remove expired', () => removeExpired(context, uploads))
  const discarded = await step('remove staged', () => removeStaged(context, uploads))
  await step('abort multiparts', () => abortMultiparts(context, uploads))
  const { orphans, damaged } = await step('read records', () => findOrphans(context, uploads))
  await step('remove orphans', () => inBatches(orphans, ({ name }) => bucket.remove(name)))
  const bytes = orphans.reduce((sum, { size }) => sum + size, 0)
  const { paused, busy } = uploads.report
  return { paused, busy, discarded, expired, blobs: orphans.length, bytes, digests: 0, damaged }
}

async function removeExpired(context: S3Context, uploads: Uploads): Promise<number> {
  let expired = 0
  for (const id of uploads.expired) {
    const removed = await deleteUpload(context, id, (manifest) => isExpired(context, manifest))
    expired += Number(removed === 'upload')
  }
  return expired
}

async function readUploads(
  context: S3Parts<'bucket' | 'names' | 'limits'>,
  blobs: readonly Listed[],
): Promise<Uploads> {
  const staged = await collect(context.bucket.list(context.names.staging))
  const ids = staged.flatMap(({ name }) => /([\w-]{22})\.json$/.exec(name)?.[1] ?? [])
  const report = { paused: 0, discarded: 0, busy: 0 }
  const expired: string[] = []
  const needed = new Set<string>()
  await inBatches(ids, async (id) => {
    const manifest = await readOrSkip(context, id)
    if (manifest === null) return
    needed.add(context.names.manifest(id))
    for (const name of neededNames(context, manifest)) needed.add(name)
    if (isExpired(context, manifest)) expired.push(id)
    else if (manifest.stage === 'paused') report.paused++
    else if (manifest.stage !== 'committed') report.busy++
  })
  return { blobs, report, expired, needed, staged }
}

/** Returns `null` if the manifest is missing or damaged. */
async function readOrSkip(context: S3Parts<'bucket' | 'names'>, id: string): Promise<S3Manifest | null> {
  try {
    return (await readManifest(context, id))?.manifest ?? null
  } catch (error) {
    if (error instanceof StoreError && error.code === 'CORRUPT') return null
    throw error
  }
}

function neededNames({ names }: S3Parts<'names'>, { stage, pieces, record }: S3Manifest): readonly string[] {
  const { multipart, tails } = pieces
  const blob = record === undefined || stage === 'committed' ? [] : [names.blob(record.blob)]
  return [
    ...tails.map(({ name }) => name),
    ...(multipart ? [multipart.name, multipart.uploadId] : []),
    ...blob,
  ]
}

function isExpired(context: S3Parts<'limits'>, manifest: S3Manifest): boolean {
  return Date.now() >= expiry(context, manifest)
}

/** Removes discarded and damaged manifests, and staged bytes that no manifest names. Returns the number of their uploads. */
async function removeStaged(
  context: S3Parts<'bucket' | 'names' | 'orphanAge'>,
  { staged, needed }: Uploads,
): Promise<number> {
  const stale = staged.filter((each) => !needed.has(each.name) && isOld(context, each.written))
  await inBatches(stale, ({ name }) => context.bucket.remove(name))
  return new Set(stale.map(({ name }) => name.slice(context.names.staging.length).slice(0, 22))).size
}

async function abortMultiparts(
  context: S3Parts<'bucket' | 'names' | 'orphanAge'>,
  { needed }: Uploads,
): Promise<void> {
  const { bucket, names } = context
  const multiparts = await collect(listMultiparts(bucket, names.blobs))
  const stale = multiparts.filter(({ uploadId, begun }) => !needed.has(uploadId) && isOld(context, begun))
  await inBatches(stale, async (multipart) => {
    // A slow writer may still be sending to an upload that has no manifest.
    const parts = await listParts(bucket, multipart)
    if (parts.every(({ written }) => isOld(context, written))) await abortMultipart(bucket, multipart)
  })
}

/**
 * Returns the blobs that no record names. A record is never older than its blob. So if there are at least as many old
 * records as old blobs outside of uploads, each such blob has a record, and no record has to be read.
 */
async function findOrphans(
  context: S3Parts<'bucket' | 'names' | 'records' | 'orphanAge'>,
  { blobs, needed }: Uploads,
): Promise<{ readonly orphans: readonly Listed[]; readonly damaged: number }> {
  const { bucket, names, records } = context
  const old = blobs.filter(({ name, written }) => !needed.has(name) && isOld(context, written))
  const named = (await collect(bucket.list(names.records))).filter(({ name }) => names.isRecord(name))
  if (old.length <= named.filter(({ written }) => isOld(context, written)).length) {
    return { orphans: [], damaged: 0 }
  }
  const found = new Set<string>()
  for await (const { name } of bucket.list(names.quarantine)) {
    found.add(names.blob(name.slice(names.quarantine.length).replace(/\.json$/, '')))
  }
  const listed = new Set(blobs.map(({ name }) => name))
  let damaged = 0
  // A record is written after its blob, so one whose blob is unknown can name only blobs that are older than itself.
  let unknownBefore = Number.NEGATIVE_INFINITY
  await inBatches(named, async ({ name, written }) => {
    const record = await records.findNamed(name)
    if (record === null) return
    if (record.record === null) damaged++
    const blob = names.blob(record.record?.blob ?? record.legible ?? '')
    if (record.record !== null || listed.has(blob)) found.add(blob)
    else unknownBefore = Math.max(unknownBefore, written)
  })
  const orphans = old.filter(({ name, written }) => !found.has(name) && written > unknownBefore)
  return { orphans, damaged }
}

function isOld({ orphanAge }: S3Parts<'orphanAge'>, written: number): boolean {
  return Date.now() - written >= orphanAge
}

async function collect<T>(source: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const each of source) all.push(each)
  return all
}
