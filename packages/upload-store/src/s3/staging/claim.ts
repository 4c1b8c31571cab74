import { StoreError } from '../../contract/store-error.ts'
import { randomId } from '../../values/random-id.ts'
import type { Bucket } from '../client/bucket.ts'
import { operation, type S3Context } from '../context/context.ts'
import { isGone, wasPublished } from '../objects/publish.ts'
import { type KeptIntent, parseIntent } from './manifest.ts'
import { IntentObject } from './manifest-object.ts'
import { completeAsBlob, NO_PIECES, offsetOf } from './pieces.ts'

const MAX_TRIES = 20

export interface Claimed {
  readonly intent: KeptIntent
  readonly file: IntentObject
}

/** @throws StoreError CORRUPT */
export async function readIntent(
  { bucket, names }: S3Context,
  id: string,
): Promise<{ readonly intent: KeptIntent; readonly tag: string } | null> {
  const found = await bucket.get(names.intent(id))
  if (found === null) return null
  const intent = parseIntent(found.text)
  if (intent === null) throw new StoreError('CORRUPT', 'The manifest of this upload is damaged.')
  // Its removal was cut short.
  return intent.stage === 'discarded' ? null : { intent, tag: found.tag }
}

/**
 * Takes an upload over: its present writer can write neither intent nor record from now on. A commit that it has begun is
 * finished. Returns `null` if there is no such upload, or `wanted` returns false.
 *
 * @throws StoreError ABORTED if other writers claim it at the same time
 */
export async function claim(
  context: S3Context,
  id: string,
  wanted: (intent: KeptIntent) => boolean = () => true,
): Promise<Claimed | null> {
  const shared = operation(context)
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const found = await readIntent(shared, id)
    if (found === null || !wanted(found.intent)) return null
    const { intent, tag } = found
    const file = new IntentObject(context, id, randomId(), tag)
    if (intent.stage === 'committed') return { intent, file }
    const { pieces, stage } = intent
    // Who is cut off here may have sent parts that the intent does not tell of.
    const ours = { ...intent, pieces: { ...pieces, strays: pieces.strays || stage === 'open' } }
    if (!(await isWritten(file, ours, shared.bucket))) continue
    return { intent: await finish({ context, shared }, file, ours), file }
  }
  throw new StoreError('ABORTED', 'The upload is resumed by others at the same time.')
}

async function isWritten(file: IntentObject, intent: KeptIntent, bucket: Bucket): Promise<boolean> {
  try {
    await file.write(intent, bucket)
    return true
  } catch (error) {
    if (error instanceof StoreError && error.code === 'ABORTED') return false
    throw error
  }
}

interface Contexts {
  readonly context: S3Context
  /** That of the claim, with one time budget for all its requests. */
  readonly shared: S3Context
}

/** Finishes the step that the previous writer has announced, or finds that it was done. */
async function finish(
  { context, shared }: Contexts,
  file: IntentObject,
  claimed: KeptIntent,
): Promise<KeptIntent> {
  const intent = claimed.pieces.strays ? await gathered(shared, claimed) : claimed
  if (intent.stage === 'completing') {
    // To join thousands of parts takes longer than a claim may.
    const tails = [await completeAsBlob(context, intent.pieces)]
    const complete = { ...intent, stage: 'open', pieces: { ...NO_PIECES, tails } } as const
    await file.write(complete)
    return complete
  }
  if (intent.stage !== 'committing') return intent
  if (await isPublished(shared, intent)) {
    const committed = { ...intent, stage: 'committed', pieces: NO_PIECES, intake: undefined } as const
    await file.write(committed, shared.bucket)
    return committed
  }
  return { ...intent, stage: 'open', record: undefined }
}

/** One that took out parts which were not its own may have made an object of all and died before it could tell. */
async function gathered({ bucket }: S3Context, intent: KeptIntent): Promise<KeptIntent> {
  const { multipart, parts, tails } = intent.pieces
  if (multipart === undefined || intent.stage === 'completing') return intent
  const found = await bucket.head(multipart.name)
  if (found === null) return intent
  const end = offsetOf({ parts, tails: [] }) - 1
  const span = { name: multipart.name, tag: found.tag, start: 0, end }
  return { ...intent, pieces: { ...NO_PIECES, tails: end < 0 ? tails : [span, ...tails] } }
}

/** Whether the record was written. */
async function isPublished(context: S3Context, { record }: KeptIntent): Promise<boolean> {
  if (record === undefined) return false
  return wasPublished(record, await context.records.find(record.object.key)) || isGone(context, record)
}
