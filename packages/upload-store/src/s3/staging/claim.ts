import { StoreError } from '../../contract/store-error.ts'
import { randomId } from '../../values/random-id.ts'
import type { Bucket } from '../client/bucket.ts'
import { operation, type S3Parts } from '../context/context.ts'
import { isBlobMissing, wasPublished } from '../objects/publish.ts'
import { parseManifest, type S3Manifest } from './manifest.ts'
import { ManifestObject } from './manifest-object.ts'
import { completeAsBlob, endOffset, NO_PIECES } from './pieces.ts'

const MAX_TRIES = 20

export interface Claimed {
  readonly manifest: S3Manifest
  readonly file: ManifestObject
}

/** @throws StoreError CORRUPT */
export async function readManifest(
  { bucket, names }: S3Parts<'bucket' | 'names'>,
  id: string,
): Promise<{ readonly manifest: S3Manifest; readonly tag: string } | null> {
  const found = await bucket.get(names.manifest(id))
  if (found === null) return null
  const manifest = parseManifest(found.text)
  if (manifest === null)
    throw new StoreError('CORRUPT', 'The manifest of the upload is damaged. Create a new upload.')
  // Its removal was cut short.
  return manifest.stage === 'discarded' ? null : { manifest, tag: found.tag }
}

/**
 * Takes an upload over: its present writer can write neither manifest nor record from now on. A commit that it has begun is
 * finished. Returns `null` if there is no such upload, or `wanted` returns false.
 *
 * @throws StoreError ABORTED if other writers claim it at the same time
 */
export async function claim(
  context: S3Parts<'bucket' | 'names' | 'records'>,
  id: string,
  wanted: (manifest: S3Manifest) => boolean = () => true,
): Promise<Claimed | null> {
  const shared = operation(context)
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const found = await readManifest(shared, id)
    if (found === null || !wanted(found.manifest)) return null
    const { manifest, tag } = found
    const file = new ManifestObject(context, id, randomId(), tag)
    if (manifest.stage === 'committed') return { manifest, file }
    const { pieces, stage } = manifest
    // Who is cut off here may have sent parts that the manifest does not tell of.
    const ours = { ...manifest, pieces: { ...pieces, strays: pieces.strays || stage === 'open' } }
    if (!(await isWritten(file, ours, shared.bucket))) continue
    return { manifest: await finish({ context, shared }, file, ours), file }
  }
  throw new StoreError('ABORTED', 'Other writers resume the upload at the same time. Try again later.')
}

async function isWritten(file: ManifestObject, manifest: S3Manifest, bucket: Bucket): Promise<boolean> {
  try {
    await file.write(manifest, bucket)
    return true
  } catch (error) {
    if (error instanceof StoreError && error.code === 'ABORTED') return false
    throw error
  }
}

interface Contexts {
  readonly context: S3Parts<'bucket'>
  /** That of the claim, with one time budget for all its requests. */
  readonly shared: S3Parts<'bucket' | 'names' | 'records'>
}

/** Finishes the step that the previous writer has announced, or finds that it was done. */
async function finish(
  { context, shared }: Contexts,
  file: ManifestObject,
  claimed: S3Manifest,
): Promise<S3Manifest> {
  const manifest = claimed.pieces.strays ? await gathered(shared, claimed) : claimed
  if (manifest.stage === 'completing') {
    // To join thousands of parts takes longer than a claim may.
    const tails = [await completeAsBlob(context, manifest.pieces)]
    const complete = { ...manifest, stage: 'open', pieces: { ...NO_PIECES, tails } } as const
    await file.write(complete)
    return complete
  }
  if (manifest.stage !== 'committing') return manifest
  if (await isPublished(shared, manifest)) {
    const committed = { ...manifest, stage: 'committed', pieces: NO_PIECES, intake: undefined } as const
    await file.write(committed, shared.bucket)
    return committed
  }
  return { ...manifest, stage: 'open', record: undefined }
}

/** One that took out parts which were not its own may have made an object of all and died before it could tell. */
async function gathered({ bucket }: S3Parts<'bucket'>, manifest: S3Manifest): Promise<S3Manifest> {
  const { multipart, parts, tails } = manifest.pieces
  if (multipart === undefined || manifest.stage === 'completing') return manifest
  const found = await bucket.head(multipart.name)
  if (found === null) return manifest
  const end = endOffset({ parts, tails: [] }) - 1
  const span = { name: multipart.name, tag: found.tag, start: 0, end }
  return { ...manifest, pieces: { ...NO_PIECES, tails: end < 0 ? tails : [span, ...tails] } }
}

/** Whether the record was written. */
async function isPublished(
  context: S3Parts<'bucket' | 'names' | 'records'>,
  { record }: S3Manifest,
): Promise<boolean> {
  if (record === undefined) return false
  return wasPublished(record, await context.records.find(record.object.key)) || isBlobMissing(context, record)
}
