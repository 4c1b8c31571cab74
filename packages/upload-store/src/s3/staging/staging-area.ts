import type { StoredObject } from '../../contract/stored-object.ts'
import type { UploadState } from '../../contract/upload-session.ts'
import type { Manifest, Resumed, StagingArea } from '../../session/driver.ts'
import { step } from '../../session/step.ts'
import { RANDOM_ID, randomId } from '../../values/random-id.ts'
import type { Span } from '../client/downloads.ts'
import { operation, type S3Context, type S3Parts } from '../context/context.ts'
import type { S3Record } from '../context/records.ts'
import { Assembly } from './assembly.ts'
import { type Claimed, claim, readManifest } from './claim.ts'
import type { S3Manifest } from './manifest.ts'
import { ManifestObject } from './manifest-object.ts'
import { ObjectStaging } from './object-staging.ts'
import { endOffset, NO_PIECES, type Pieces } from './pieces.ts'
import { savableHash } from './savable-hash.ts'

/** Stages uploads as parts of their later blobs, and bytes that are less than a part as small objects. */
export function s3StagingArea(context: S3Context): StagingArea {
  return {
    savableHash,
    create: async (id, manifest) => {
      const file = new ManifestObject(context, id, randomId(), null)
      const known = manifest.metadata !== undefined
      const staging = openStaging(context, id, manifest, file, known)
      await begin(context, staging, known)
      return staging
    },
    resume: async (id) => {
      const claimed = RANDOM_ID.test(id) ? await claim(context, id) : null
      if (claimed === null || claimed.manifest.stage === 'committed') return null
      return resumed(context, id, claimed)
    },
    interrupt: (id) => interrupt(context, id),
    list: () => listIds(context),
    get: async (id) => {
      const found = RANDOM_ID.test(id) ? await readManifest(operation(context), id) : null
      if (found === null) return null
      const { key, metadata = {} } = found.manifest
      return { id, key, metadata, committed: committedObject(found.manifest) }
    },
    delete: async (id) => RANDOM_ID.test(id) && (await deleteUpload(context, id)) !== null,
    leaveReceipt: async (id, whole) => {
      if (!RANDOM_ID.test(id) || !RANDOM_ID.test(whole)) return false
      const found = await readManifest(operation(context), whole)
      const record = found?.manifest.stage === 'committed' ? found.manifest.record : undefined
      return record !== undefined && leaveReceipt(context, id, record)
    },
  }
}

async function begin({ space }: S3Parts<'space'>, staging: ObjectStaging, known: boolean): Promise<void> {
  try {
    await space.checkSpace(0)
  } catch (error) {
    await staging.release()
    throw error
  }
  try {
    if (known) await staging.announce()
  } catch (error) {
    await staging.discard().catch(() => {})
    throw error
  }
}

function openStaging(
  context: S3Context,
  id: string,
  manifest: Manifest,
  file: ManifestObject,
  known: boolean,
  { pieces, intake }: Pick<S3Manifest, 'pieces' | 'intake'> = { pieces: NO_PIECES, intake: undefined },
): ObjectStaging {
  const { expectedSize: expected } = manifest
  const reservation = context.space.reserve(id, endOffset(pieces), expected)
  for (const name of objectNames(pieces)) reservation.names.add(name)
  const assembly = new Assembly(context, { id, fence: file.fence, expected }, pieces)
  return new ObjectStaging(context, {
    id,
    manifest,
    file,
    assembly,
    durable: { pieces, intake },
    known,
    reservation,
  })
}

function objectNames({ multipart, tails }: Pieces): readonly string[] {
  return [...tails.map(({ name }) => name), ...(multipart === undefined ? [] : [multipart.name])]
}

function resumed(context: S3Context, id: string, { manifest, file }: Claimed): Resumed {
  const { pieces, intake } = manifest
  const staging = openStaging(context, id, manifest, file, true, manifest)
  const bytes = (start: number) => read(context, pieces.tails, start)
  return { staging, manifest, size: endOffset(pieces), bytes, intake }
}

/** Yields the bytes of an upload that has no parts. */
async function* read(
  { downloads }: S3Parts<'downloads'>,
  tails: readonly Span[],
  start: number,
): AsyncGenerator<Uint8Array> {
  let skip = start
  for (const span of tails) {
    const length = span.end - span.start + 1
    if (skip < length && length > 0) yield* await downloads.open({ ...span, start: span.start + skip })
    skip = Math.max(0, skip - length)
  }
}

/** Returns the ids of uploads and receipts, whose manifests have the same form of name. */
async function listIds({ bucket, names }: S3Parts<'bucket' | 'names'>): Promise<readonly string[]> {
  const ids: string[] = []
  for await (const { name } of bucket.list(names.staging)) {
    const id = name.slice(names.staging.length).replace(/\.json$/, '')
    if (RANDOM_ID.test(id)) ids.push(id)
  }
  return ids
}

async function interrupt(
  context: S3Parts<'bucket' | 'names' | 'records' | 'limits'>,
  id: string,
): Promise<UploadState | null> {
  const found = RANDOM_ID.test(id) ? await readManifest(operation(context), id) : null
  if (found === null) return null
  const manifest = isSettled(found.manifest) ? found.manifest : await settle(context, id)
  if (manifest === null) return null
  const { key, metadata = {}, pieces } = manifest
  const committed = committedObject(manifest)
  const offset = committed?.size ?? endOffset(pieces)
  return { id, key, metadata, offset, committed, expires: expiry(context, manifest) }
}

/** When an upload expires, in ms since the epoch. */
export function expiry({ limits }: S3Parts<'limits'>, manifest: S3Manifest): number {
  const isEmpty = manifest.stage !== 'committed' && endOffset(manifest.pieces) === 0
  return manifest.since + (isEmpty ? limits.expireEmptyAfter : limits.expireAfter)
}

function committedObject({ stage, record }: S3Manifest): StoredObject | null {
  return stage === 'committed' ? (record?.object ?? null) : null
}

function isSettled({ stage }: S3Manifest): boolean {
  return stage === 'paused' || stage === 'committed'
}

/** Stops the writer, and returns the manifest of the paused upload. */
async function settle(
  context: S3Parts<'bucket' | 'names' | 'records'>,
  id: string,
): Promise<S3Manifest | null> {
  const claimed = await claim(context, id)
  if (claimed === null || isSettled(claimed.manifest)) return claimed?.manifest ?? null
  const paused = { ...claimed.manifest, stage: 'paused' } as const
  await claimed.file.write(paused)
  return paused
}

/**
 * Stops the writer and removes the upload. Returns whether it was an upload or a receipt; `null` if it did not exist.
 */
export async function deleteUpload(
  context: S3Context,
  id: string,
  wanted?: (manifest: S3Manifest) => boolean,
): Promise<'upload' | 'receipt' | null> {
  const claimed = await claim(context, id, wanted)
  if (claimed === null) return null
  const { manifest, file } = claimed
  if (manifest.stage === 'committed') {
    await file.remove()
    return 'receipt'
  }
  await openStaging(context, id, manifest, file, true, manifest).discard()
  return 'upload'
}

async function leaveReceipt(context: S3Context, id: string, record: S3Record): Promise<boolean> {
  const claimed = await claim(context, id)
  if (claimed === null) return false
  const { manifest, file } = claimed
  if (manifest.stage === 'committed') return true
  const staging = openStaging(context, id, manifest, file, true, manifest)
  await step('write receipt of part', () => staging.leaveReceipt(record))
  return true
}
