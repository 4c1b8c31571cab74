import { dirname } from 'node:path'
import { StoreError } from '../../contract/store-error.ts'
import type { Manifest } from '../../session/driver.ts'
import { type BlobRecord, fieldsOf, toRecord } from '../../values/blob-record.ts'
import { isExpectedSize, isFields, isOptionalText, isSize, parseFields } from '../../values/json-fields.ts'
import { isKey } from '../../values/key.ts'
import { isMetadata } from '../../values/metadata.ts'
import { isDirectory, unavailable } from '../disk/files.ts'
import { readText } from '../disk/read-entry.ts'

/** How far an upload has come. */
interface Progress {
  /** The number of durable bytes. */
  readonly offset: number
  /**
   * The id of the boot in which bytes after `offset` may have been written. Such bytes survive the end of a process,
   * but not a power cut.
   */
  readonly boot: string
}

/** The content of `staging/<id>.json`, which describes an upload that is resumable or was committed. */
export interface FsManifest extends Manifest, Progress {
  /** The record being committed, once a commit has started. */
  readonly committing: BlobRecord | undefined
}

/**
 * Returns the manifest, or `null` if it does not exist.
 *
 * @throws StoreError CORRUPT, as an UnreadableEntry if its content is unknown; UNAVAILABLE if `staging/` is gone,
 * because a client discards its upload when the store reports that it does not exist
 */
export async function readManifest(path: string): Promise<FsManifest | null> {
  const text = await readText(path).catch((error: unknown) => {
    throw isDirectory(dirname(path)) ? error : unavailable(error)
  })
  if (text === null) {
    if (!isDirectory(dirname(path)))
      throw unavailable(new Error(`The directory ${dirname(path)} does not exist.`))
    return null
  }
  const manifest = parseManifest(text)
  if (manifest === null) throw new StoreError('CORRUPT', 'It is not the manifest of an upload.')
  return manifest
}

export function formatManifest({ committing, ...manifest }: FsManifest): string {
  const record = committing === undefined ? undefined : fieldsOf(committing)
  return `${JSON.stringify({ ...manifest, committing: record })}\n`
}

/**
 * Returns a line to append to a manifest. It begins with a line feed, because a killed process may have left a part of a
 * line, and ends with one, because a power cut may leave zeros in place of the next line.
 */
export function formatProgress(offset: number, boot: string | undefined): string {
  return `\n${JSON.stringify({ offset, boot })}\n`
}

/** The first line has all fields. The last whole line after it has the progress since. */
function parseManifest(text: string): FsManifest | null {
  const [first = '', ...lines] = text.split('\n')
  const manifest = parseFirst(first)
  const progress = lines.map(parseProgress).findLast((each) => each !== null)
  return manifest && { ...manifest, ...progress }
}

function parseProgress(line: string): Partial<Progress> | null {
  const { offset, boot } = parseFields(line) ?? {}
  if (!isSize(offset)) return null
  return typeof boot === 'string' ? { offset, boot } : { offset }
}

function parseFirst(text: string): FsManifest | null {
  const fields = parseFields(text) ?? {}
  const { key, type, digest, expectedSize = 0, metadata, isPart, offset, boot, committing } = fields
  if (!isKey(key) || typeof boot !== 'string' || !isSize(offset)) return null
  if (!isOptionalText(type) || !isOptionalText(digest) || !isExpectedSize(expectedSize)) return null
  if (!(metadata === undefined || isMetadata(metadata))) return null
  if (!(isPart === undefined || typeof isPart === 'boolean')) return null
  const record = committing === undefined ? undefined : toRecord(isFields(committing) ? committing : {})
  if (record === null) return null
  return { key, type, digest, expectedSize, metadata, isPart, offset, boot, committing: record }
}
