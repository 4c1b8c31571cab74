import type { StoredObject } from '../../contract/stored-object.ts'
import type { UploadState } from '../../contract/upload-session.ts'
import type { Intent, Resumed, StagingArea } from '../../session/driver.ts'
import { RANDOM_ID, randomId } from '../../values/random-id.ts'
import type { Span } from '../client/downloads.ts'
import { operation, type S3Context } from '../context/context.ts'
import { Assembly } from './assembly.ts'
import { type Claimed, claim, readIntent } from './claim.ts'
import type { KeptIntent } from './manifest.ts'
import { IntentObject } from './manifest-object.ts'
import { ObjectStaging } from './object-staging.ts'
import { NO_PIECES, offsetOf, type Pieces } from './pieces.ts'
import { savableHash } from './savable-hash.ts'

/** Stages uploads as parts of what will be their blobs, and the rest as small objects. */
export function s3StagingArea(context: S3Context): StagingArea {
  return {
    savableHash,
    create: async (id, intent) => {
      const file = new IntentObject(context, id, randomId(), null)
      const known = intent.meta !== undefined
      const staging = stagingOf(context, id, intent, file, known)
      await begin(context, staging, known)
      return staging
    },
    resume: async (id) => {
      const claimed = RANDOM_ID.test(id) ? await claim(context, id) : null
      if (claimed === null || claimed.intent.stage === 'committed') return null
      return resumed(context, id, claimed)
    },
    inspect: (id) => inspect(context, id),
    list: () => listIds(context),
    peek: async (id) => {
      const found = RANDOM_ID.test(id) ? await readIntent(operation(context), id) : null
      if (found === null) return null
      const { key, meta = {} } = found.intent
      return { id, key, meta, committed: committedObject(found.intent) }
    },
    forget: async (id) => RANDOM_ID.test(id) && (await forget(context, id)) !== null,
  }
}

async function begin({ space }: S3Context, staging: ObjectStaging, known: boolean): Promise<void> {
  try {
    await space.admit(0)
  } catch (error) {
    await staging.letGo()
    throw error
  }
  try {
    if (known) await staging.announce()
  } catch (error) {
    await staging.discard().catch(() => {})
    throw error
  }
}

function stagingOf(
  context: S3Context,
  id: string,
  intent: Intent,
  file: IntentObject,
  known: boolean,
  { pieces, intake }: Pick<KeptIntent, 'pieces' | 'intake'> = { pieces: NO_PIECES, intake: undefined },
): ObjectStaging {
  const { expectedSize: expected } = intent
  const reservation = context.space.reserve(id, offsetOf(pieces), expected)
  for (const name of objectsOf(pieces)) reservation.names.add(name)
  const assembly = new Assembly(context, { id, epoch: file.epoch, expected }, pieces)
  return new ObjectStaging(context, {
    id,
    intent,
    file,
    assembly,
    durable: { pieces, intake },
    known,
    reservation,
  })
}

function objectsOf({ multipart, tails }: Pieces): readonly string[] {
  return [...tails.map(({ name }) => name), ...(multipart === undefined ? [] : [multipart.name])]
}

function resumed(context: S3Context, id: string, { intent, file }: Claimed): Resumed {
  const { pieces, intake } = intent
  const staging = stagingOf(context, id, intent, file, true, intent)
  const bytes = (start: number) => read(context, pieces.tails, start)
  return { staging, intent, size: offsetOf(pieces), bytes, intake }
}

/** Bytes of an upload that has no parts. */
async function* read(
  { downloads }: S3Context,
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

/** The intents of receipts have the same names. */
async function listIds({ bucket, names }: S3Context): Promise<readonly string[]> {
  const ids: string[] = []
  for await (const { name } of bucket.list(names.staging)) {
    const id = name.slice(names.staging.length).replace(/\.json$/, '')
    if (RANDOM_ID.test(id)) ids.push(id)
  }
  return ids
}

async function inspect(context: S3Context, id: string): Promise<UploadState | null> {
  const found = RANDOM_ID.test(id) ? await readIntent(operation(context), id) : null
  if (found === null) return null
  const intent = isSettled(found.intent) ? found.intent : await settle(context, id)
  if (intent === null) return null
  const { key, meta = {}, pieces } = intent
  const committed = committedObject(intent)
  const offset = committed?.size ?? offsetOf(pieces)
  return { id, key, meta, offset, committed, expires: expiry(context, intent) }
}

/** When an upload expires, in ms since the epoch. */
export function expiry({ expireAfter, expireEmptyAfter }: S3Context, intent: KeptIntent): number {
  const isEmpty = intent.stage !== 'committed' && offsetOf(intent.pieces) === 0
  return intent.since + (isEmpty ? expireEmptyAfter : expireAfter)
}

function committedObject({ stage, record }: KeptIntent): StoredObject | null {
  return stage === 'committed' ? (record?.object ?? null) : null
}

function isSettled({ stage }: KeptIntent): boolean {
  return stage === 'paused' || stage === 'committed'
}

/** Ends the writer. */
async function settle(context: S3Context, id: string): Promise<KeptIntent | null> {
  const claimed = await claim(context, id)
  if (claimed === null || isSettled(claimed.intent)) return claimed?.intent ?? null
  const paused = { ...claimed.intent, stage: 'paused' } as const
  await claimed.file.write(paused)
  return paused
}

/** Ends the writer and removes all there is, and says what that was; `null` where there was nothing. */
export async function forget(
  context: S3Context,
  id: string,
  wanted?: (intent: KeptIntent) => boolean,
): Promise<'upload' | 'receipt' | null> {
  const claimed = await claim(context, id, wanted)
  if (claimed === null) return null
  const { intent, file } = claimed
  if (intent.stage === 'committed') {
    await file.remove()
    return 'receipt'
  }
  await stagingOf(context, id, intent, file, true, intent).discard()
  return 'upload'
}
