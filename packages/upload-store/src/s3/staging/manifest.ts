import type { Manifest } from '../../session/driver.ts'
import type { SavedIntake } from '../../session/intake.ts'
import { isMetadata } from '../../session/metadata.ts'
import { isExpectedSize, isFields, isOptionalText, isSize, parseFields } from '../../values/json-fields.ts'
import { isKey } from '../../values/key.ts'
import { formatS3Record, parseS3Record, type S3Record } from '../context/records.ts'
import type { Pieces } from './pieces.ts'

const STATES = ['open', 'paused', 'completing', 'committing', 'committed', 'discarded'] as const

/**
 * How far an upload has come. `open`: somebody writes it; `completing`: all parts are there, and whoever comes next makes them
 * an object; `committing`: they are one, which the record may name; `committed`: it was published; `discarded`: there is
 * no such upload any more.
 */
export type UploadStage = (typeof STATES)[number]

/** What `staging/<id>.json` says of an upload that may be resumed, or was committed. */
export interface S3Manifest extends Manifest {
  readonly stage: UploadStage
  readonly pieces: Pieces
  /** Counting and hashing, as of the last byte of the pieces; without it they are read. */
  readonly intake: SavedIntake | undefined
  /** What a commit has made of it, or would have. */
  readonly record: S3Record | undefined
  /** Who writes it, or did last. */
  readonly fence: string
  /** When that was written, ms since the epoch of Unix. */
  readonly since: number
}

export function formatManifest({ intake, record, ...manifest }: S3Manifest): string {
  const kept = intake && { ...intake, hash: base64(intake.hash), head: base64(intake.head) }
  return `${JSON.stringify({ ...manifest, intake: kept, record: record && formatS3Record(record) })}\n`
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** `null` for what is no manifest. */
export function parseManifest(text: string): S3Manifest | null {
  const fields = parseFields(text) ?? {}
  const { key, type, digest, expectedSize, metadata, fence, since } = fields
  const stage = STATES.find((known) => known === fields['stage'])
  const pieces = parsePieces(fields['pieces'])
  if (!isKey(key) || typeof fence !== 'string' || stage === undefined || pieces === null) return null
  if (!isExpectedSize(expectedSize) || !isSize(since)) return null
  if (!isOptionalText(type) || !isOptionalText(digest) || !(metadata === undefined || isMetadata(metadata)))
    return null
  const intake = parseIntake(fields['intake'])
  const record = fields['record'] === undefined ? undefined : parseS3Record(String(fields['record']))
  if (intake === null || record === null) return null
  return { key, type, digest, expectedSize, metadata, stage, pieces, intake, record, fence, since }
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

/** Pieces are removed with their upload, so a damaged name must not be that of a record. */
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
