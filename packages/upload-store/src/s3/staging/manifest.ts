import type { Manifest } from '../../session/driver.ts'
import type { SavedIntake } from '../../session/intake/intake.ts'
import { isExpectedSize, isFields, isOptionalText, isSize, parseFields } from '../../values/json-fields.ts'
import { isKey } from '../../values/key.ts'
import { isMetadata } from '../../values/metadata.ts'
import { formatS3Record, parseS3Record, type S3Record } from '../context/records.ts'
import type { Pieces } from './pieces.ts'

const STATES = ['open', 'paused', 'completing', 'committing', 'committed', 'discarded'] as const

/**
 * The stage of an upload. `open`: it has a writer. `completing`: S3 has all parts, and the next writer joins them if
 * this one dies. `committing`: the parts are one object, which the record may name. `committed`: the object was
 * published. `discarded`: the upload no longer exists.
 */
export type UploadStage = (typeof STATES)[number]

/** The content of `staging/<id>.json`, which describes an upload that is resumable or was committed. */
export interface S3Manifest extends Manifest {
  readonly stage: UploadStage
  readonly pieces: Pieces
  /**
   * The state of counting and hashing after the last byte of the pieces; `undefined` if their bytes have to be read.
   */
  readonly intake: SavedIntake | undefined
  /** The record being committed, once a commit has started. */
  readonly record: S3Record | undefined
  /** Identifies the current or last writer. */
  readonly fence: string
  /** When the manifest was written, in ms since the epoch. */
  readonly since: number
}

export function formatManifest({ intake, record, ...manifest }: S3Manifest): string {
  const kept = intake && { ...intake, hash: base64(intake.hash), head: base64(intake.head) }
  return `${JSON.stringify({ ...manifest, intake: kept, record: record && formatS3Record(record) })}\n`
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** Returns `null` if the text is not a manifest. */
export function parseManifest(text: string): S3Manifest | null {
  const fields = parseFields(text) ?? {}
  const { key, type, digest, expectedSize, metadata, isPart, fence, since } = fields
  const stage = STATES.find((known) => known === fields['stage'])
  const pieces = parsePieces(fields['pieces'])
  if (!isKey(key) || typeof fence !== 'string' || stage === undefined || pieces === null) return null
  if (!isExpectedSize(expectedSize) || !isSize(since)) return null
  if (!isOptionalText(type) || !isOptionalText(digest) || !(metadata === undefined || isMetadata(metadata)))
    return null
  if (!(isPart === undefined || typeof isPart === 'boolean')) return null
  const intake = parseIntake(fields['intake'])
  const record = fields['record'] === undefined ? undefined : parseS3Record(String(fields['record']))
  if (intake === null || record === null) return null
  const manifest = { key, type, digest, expectedSize, metadata, isPart }
  return { ...manifest, stage, pieces, intake, record, fence, since }
}

function parsePieces(value: unknown): Pieces | null {
  if (!isFields(value)) return null
  const { multipart, parts, strays, tails } = value
  if (!(multipart === undefined || isMultipart(multipart)) || typeof strays !== 'boolean') return null
  if (!isArrayOf(parts, isPart) || !isArrayOf(tails, isSpan)) return null
  return { multipart, parts, strays, tails }
}

function isMultipart(value: unknown): value is NonNullable<Pieces['multipart']> {
  return isFields(value) && isPieceName(value['name']) && typeof value['uploadId'] === 'string'
}

function isPart(value: unknown): value is Pieces['parts'][number] {
  if (!isFields(value)) return false
  const { number, size, tag } = value
  return isSize(number) && isSize(size) && typeof tag === 'string'
}

function isSpan(value: unknown): value is Pieces['tails'][number] {
  if (!isFields(value)) return false
  const { name, tag, start, end } = value
  if (!isPieceName(name) || typeof tag !== 'string') return false
  // The span of an empty object ends before its start.
  return isSize(start) && Number.isSafeInteger(end) && Number(end) >= start - 1
}

/**
 * Whether the value is the name of a blob or a tail. Pieces are removed with their upload, so a damaged name must not
 * be that of a record.
 */
function isPieceName(value: unknown): value is string {
  return typeof value === 'string' && /(?:^|\/)(?:blobs\/[\w-]{22}|staging\/[\w-]{22}\.[\w.-]+)$/.test(value)
}

function isArrayOf<T>(value: unknown, isOne: (element: unknown) => element is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isOne)
}

function parseIntake(value: unknown): SavedIntake | undefined | null {
  if (value === undefined) return undefined
  if (!isFields(value)) return null
  const { size, hash, type, head } = value
  if (!isSize(size) || typeof hash !== 'string' || typeof head !== 'string') return null
  if (!isOptionalText(type)) return null
  return { size, hash: Buffer.from(hash, 'base64'), type, head: Buffer.from(head, 'base64') }
}
