import type { CommitOptions } from '../../contract/upload-session.ts'
import { checkConditions } from '../../values/conditions.ts'
import { operation, type S3Parts } from '../context/context.ts'
import type { FoundRecord, S3Record } from '../context/records.ts'

export interface Publication {
  readonly record: S3Record
  readonly conditions: CommitOptions
  /** Whether the record may have been written before. */
  readonly isUnsure: boolean
  /** Called before each try. */
  announce(): Promise<void>
}

/**
 * Makes the record the one of its key, in one step over the record that the conditions were checked on; whoever else has
 * replaced that meanwhile makes it look again. A key is thought to be free at first: that saves a request to most uploads.
 *
 * @throws StoreError PRECONDITION_FAILED
 */
export async function publish(
  context: S3Parts<'bucket' | 'names' | 'records' | 'leftovers' | 'space'>,
  publication: Publication,
): Promise<void> {
  const { object } = publication.record
  const replaced: S3Record[] = []
  try {
    await write(operation(context, context.bucket.limits.transferTimeout), publication, replaced)
  } finally {
    // Whichever of the tries it was, and whether an answer came or not.
    for (const blob of new Set(replaced.map(({ blob }) => blob))) removeReplaced(context, object.key, blob)
  }
}

/** @param replaced is told which records were there before each try */
async function write(
  context: S3Parts<'bucket' | 'names' | 'records' | 'space'>,
  publication: Publication,
  replaced: S3Record[],
): Promise<void> {
  const { record, conditions, announce } = publication
  const { records, space } = context
  const { key, size } = record.object
  let { isUnsure } = publication
  let before: S3Record | null = null
  let found = isUnsure || conditions.ifMatch !== undefined ? await records.find(key) : null
  while (!wasPublished(record, found)) {
    checkConditions(key, await tagFor(context, found, conditions), conditions)
    if (isUnsure && (await isBlobMissing(context, record))) return
    await announce()
    before = found?.record ?? null
    if (before !== null) replaced.push(before)
    const written = await records.writeOver({ ...record, over: before?.blob }, found?.tag ?? null)
    if (written.tag !== null) break
    isUnsure ||= written.isUnsure
    found = await records.find(key)
  }
  space.add(size - (before?.object.size ?? 0))
}

/**
 * The entity-tag that conditions are checked against. An object whose bytes are lost does not exist for `ifNoneMatch`, so
 * that it can be created again; `ifMatch` may name it, so that it can be replaced.
 */
async function tagFor(
  context: S3Parts<'bucket' | 'names'>,
  found: FoundRecord | null,
  { ifNoneMatch }: CommitOptions,
): Promise<string | undefined> {
  const record = found?.record ?? null
  const isMissing = record !== null && ifNoneMatch !== undefined && !(await hasBytes(context, record))
  return isMissing ? undefined : record?.object.etag
}

async function hasBytes(
  { bucket, names }: S3Parts<'bucket' | 'names'>,
  { blob, blobTag }: S3Record,
): Promise<boolean> {
  return (await bucket.head(names.blob(blob)))?.tag === blobTag
}

/** Whether a key's record is this one, or has taken its place. */
export function wasPublished({ blob }: S3Record, found: FoundRecord | null): boolean {
  return found?.record?.blob === blob || found?.record?.over === blob
}

/** Returns whether the bytes of a record are missing: those of a published object go when it is replaced or deleted. */
export async function isBlobMissing(
  { bucket, names }: S3Parts<'bucket' | 'names'>,
  { blob }: S3Record,
): Promise<boolean> {
  return (await bucket.head(names.blob(blob))) === null
}

/** Has the bytes go that `key` named before. */
export function removeReplaced(
  { records, names, leftovers }: S3Parts<'names' | 'records' | 'leftovers'>,
  key: string,
  blob: string | undefined,
): void {
  if (blob === undefined) return
  const isNamed = async () => (await records.find(key))?.record?.blob === blob
  leftovers.removeLater(names.blob(blob), isNamed)
}
