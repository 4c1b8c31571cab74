import type { CommitOptions } from '../../contract/upload-session.ts'
import { step } from '../../session/step.ts'
import { checkConditions } from '../../values/conditions.ts'
import { operation, type S3Parts } from '../context/context.ts'
import type { FoundRecord, S3Record } from '../context/records.ts'

export interface Publication {
  readonly record: S3Record
  readonly conditions: CommitOptions
  /** Whether the record may have been written before. */
  readonly isUnsure: boolean
  /** Called before each attempt. */
  announce(): Promise<void>
}

/**
 * Writes the record of its key, by one conditional write over the record that the conditions were checked on. If
 * another writer has replaced that record meanwhile, reads the new one and retries. The first attempt assumes that the
 * key is free, which saves most uploads a request.
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
    // After a lost response, any of the attempts may have succeeded.
    for (const blob of new Set(replaced.map(({ blob }) => blob))) removeReplaced(context, object.key, blob)
  }
}

/** @param replaced receives the record that each attempt replaces */
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
  const find = () => step('read record', () => records.find(key))
  let found = isUnsure || conditions.ifMatch !== undefined ? await find() : null
  while (!wasPublished(record, found)) {
    const { tag = null } = found ?? {}
    const current = await step('read replaced', () => tagFor(context, found, conditions))
    checkConditions(key, current, conditions)
    if (isUnsure && (await step('find blob', () => isBlobMissing(context, record)))) return
    await announce()
    before = found?.record ?? null
    if (before !== null) replaced.push(before)
    const over = before?.blob
    const written = await step('write record', () => records.writeOver({ ...record, over }, tag))
    if (written.tag !== null) break
    isUnsure ||= written.isUnsure
    found = await find()
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

/** Whether the key's record is this one, or one that replaced it. */
export function wasPublished({ blob }: S3Record, found: FoundRecord | null): boolean {
  return found?.record?.blob === blob || found?.record?.over === blob
}

/** Returns whether the bytes of a record are missing: replacing or deleting an object removes them. */
export async function isBlobMissing(
  { bucket, names }: S3Parts<'bucket' | 'names'>,
  { blob }: S3Record,
): Promise<boolean> {
  return (await bucket.head(names.blob(blob))) === null
}

/** Removes the bytes that `key` named before, once no reader can be about to open them. */
export function removeReplaced(
  { records, names, leftovers }: S3Parts<'names' | 'records' | 'leftovers'>,
  key: string,
  blob: string | undefined,
): void {
  if (blob === undefined) return
  const isNamed = async () => (await records.find(key))?.record?.blob === blob
  leftovers.removeLater(names.blob(blob), isNamed)
}
