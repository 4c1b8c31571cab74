import { dirname } from 'node:path'
import { StoreError } from '../../contract/store-error.ts'
import type { Intent } from '../../session/driver.ts'
import { isMeta } from '../../session/upload-meta.ts'
import { type BlobRecord, fieldsOf, toRecord } from '../../values/blob-record.ts'
import { isExpectedSize, isFields, isOptionalText, isSize, parseFields } from '../../values/json-fields.ts'
import { isKey } from '../../values/key.ts'
import { isDirectory, unavailable } from '../disk/files.ts'
import { readText } from '../disk/read-entry.ts'

/** What `staging/<id>.json` says of an upload that may be resumed, or was committed. */
export interface KeptIntent extends Intent {
  /** How many bytes are durable. */
  readonly offset: number
  /** The boot in which bytes behind `offset` may have been written; they outlive a process and no power cut. */
  readonly boot: string
  /** What a commit has made of it, or would have. */
  readonly committing: BlobRecord | undefined
}

/**
 * @throws StoreError CORRUPT, as an UnreadableEntry if nothing is known of its content; UNAVAILABLE if `staging/` is gone:
 * a client that learns that its upload does not exist would forget it
 */
export async function readIntent(path: string): Promise<KeptIntent | null> {
  const text = await readText(path).catch((error: unknown) => {
    throw isDirectory(dirname(path)) ? error : unavailable(error)
  })
  if (text === null) {
    if (!isDirectory(dirname(path))) throw unavailable(new Error(`There is no directory ${dirname(path)}.`))
    return null
  }
  const intent = parseIntent(text)
  if (intent === null) throw new StoreError('CORRUPT', 'It is not the manifest of an upload.')
  return intent
}

export function formatIntent({ committing, ...intent }: KeptIntent): string {
  const record = committing === undefined ? undefined : fieldsOf(committing)
  return `${JSON.stringify({ ...intent, committing: record })}\n`
}

function parseIntent(text: string): KeptIntent | null {
  const { key, type, digest, expectedSize = 0, meta, offset, boot, committing } = parseFields(text) ?? {}
  if (!isKey(key) || typeof boot !== 'string' || !isSize(offset)) return null
  if (!isOptionalText(type) || !isOptionalText(digest) || !isExpectedSize(expectedSize)) return null
  if (!(meta === undefined || isMeta(meta))) return null
  const record = committing === undefined ? undefined : toRecord(isFields(committing) ? committing : {})
  if (record === null) return null
  return { key, type, digest, expectedSize, meta, offset, boot, committing: record }
}
