import { parseFields } from './fields.ts'
import type { StoredObject } from './object.ts'
import { RANDOM_ID } from './random-id.ts'

/** An object and where its bytes lie. */
export interface BlobRecord {
  readonly object: StoredObject
  /** The id of its blob. */
  readonly blob: string
}

/** A record as it is written. */
export function fieldsOf({ object, blob }: BlobRecord): Readonly<Record<string, string | number>> {
  const { key, size, type, digest, lastModified } = object
  return { key, blob, size, type, digest, created: new Date(lastModified).toISOString() }
}

/** `null` for what is no record. */
export function parseRecord(text: string): BlobRecord | null {
  return toRecord(parseFields(text) ?? {})
}

/** The other way round; `null` for what are not the fields of a record. */
export function toRecord(fields: Readonly<Record<string, unknown>>): BlobRecord | null {
  const { key, blob, size, type, digest, created } = fields
  const lastModified = Date.parse(String(created))
  if (typeof key !== 'string' || typeof type !== 'string' || typeof size !== 'number') return null
  // The blob's id becomes a path.
  if (typeof blob !== 'string' || !RANDOM_ID.test(blob)) return null
  if (typeof digest !== 'string' || !/^[\da-f]{64}$/.test(digest) || Number.isNaN(lastModified)) return null
  return { object: { key, size, type, digest, etag: `"${digest}"`, lastModified }, blob }
}
