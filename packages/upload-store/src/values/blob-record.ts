import type { StoredObject, UploadMetadata } from '../contract/stored-object.ts'
import { isDigest, isSize, parseFields } from './json-fields.ts'
import { isKey } from './key.ts'
import { isMediaType } from './media-type-syntax.ts'
import { isMetadata } from './metadata.ts'
import { RANDOM_ID } from './random-id.ts'

/** The sha-256 of no bytes. */
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/** An object and where its bytes lie. */
export interface BlobRecord {
  readonly object: StoredObject
  /** The id of its blob. */
  readonly blob: string
}

/** A record as it is written. */
export function fieldsOf({ object, blob }: BlobRecord): Readonly<Record<string, unknown>> {
  const { key, size, type, digest, lastModified, metadata } = object
  const fields = { key, blob, size, type, digest, created: new Date(lastModified).toISOString() }
  return metadata === NONE || Object.keys(metadata).length === 0 ? fields : { ...fields, metadata }
}

/** The metadata of most objects. */
const NONE: UploadMetadata = Object.freeze({})

/** The record that `text` is, or `null` if it is damaged. */
export function parseRecord(text: string): BlobRecord | null {
  return toRecord(parseFields(text) ?? {})
}

/**
 * The record with these fields, or `null` if one of them has a value that the store never writes. Fields of later versions
 * are ignored.
 */
export function toRecord(fields: Readonly<Record<string, unknown>>): BlobRecord | null {
  const { key, blob, size, type, digest, created, metadata = NONE } = fields
  const lastModified = timeOf(created)
  if (!isKey(key) || !isSize(size) || lastModified === null || !isMetadata(metadata)) return null
  // The type becomes a header field.
  if (typeof type !== 'string' || !isMediaType(type)) return null
  // The blob's id and the digest become paths.
  if (typeof blob !== 'string' || !RANDOM_ID.test(blob) || !isDigest(digest)) return null
  // Otherwise an object would be served as an empty one: its bytes are not opened.
  if ((size === 0) !== (digest === EMPTY)) return null
  return { object: { key, size, type, digest, etag: `"${digest}"`, lastModified, metadata }, blob }
}

/** The time of `Date.prototype.toISOString`, in years that an HTTP date can have. */
function timeOf(value: unknown): number | null {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) return null
  const time = Date.parse(value)
  return Number.isNaN(time) ? null : time
}
