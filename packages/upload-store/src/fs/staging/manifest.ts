import { dirname } from 'node:path'
import { StoreError } from '../../contract/store-error.ts'
import type { Manifest } from '../../session/driver.ts'
import { isMetadata } from '../../session/metadata.ts'
import { type BlobRecord, fieldsOf, toRecord } from '../../values/blob-record.ts'
import { isExpectedSize, isFields, isOptionalText, isSize, parseFields } from '../../values/json-fields.ts'
import { isKey } from '../../values/key.ts'
import { isDirectory, unavailable } from '../disk/files.ts'
import { readText } from '../disk/read-entry.ts'

/** What `staging/<id>.json` says of an upload that may be resumed, or was committed. */
export interface FsManifest extends Manifest {
  /** How many bytes are durable. */
  readonly offset: number
  /** The boot in which bytes behind `offset` may have been written; they outlive a process and no power cut. */
  readonly boot: string
  /** What a commit has made of it, or would have. */
  readonly committing: BlobRecord | undefined
}

/**
 * @throws StoreError CORRUPT, as an UnreadableEntry if nothing is known of its content; UNAVAILABLE if `staging/` is gone:
 * a client that learns that its upload does not exist would give it up
 */
export async function readManifest(path: string): Promise<FsManifest | null> {
  const text = await readText(path).catch((error: unknown) => {
    throw isDirectory(dirname(path)) ? error : unavailable(error)
  })
  if (text === null) {
    if (!isDirectory(dirname(path))) throw unavailable(new Error(`There is no directory ${dirname(path)}.`))
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

function parseManifest(text: string): FsManifest | null {
  const { key, type, digest, expectedSize = 0, metadata, offset, boot, committing } = parseFields(text) ?? {}
  if (!isKey(key) || typeof boot !== 'string' || !isSize(offset)) return null
  if (!isOptionalText(type) || !isOptionalText(digest) || !isExpectedSize(expectedSize)) return null
  if (!(metadata === undefined || isMetadata(metadata))) return null
  const record = committing === undefined ? undefined : toRecord(isFields(committing) ? committing : {})
  if (record === null) return null
  return { key, type, digest, expectedSize, metadata, offset, boot, committing: record }
}
