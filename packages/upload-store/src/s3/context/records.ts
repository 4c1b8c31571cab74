import { StoreError } from '../../contract/store-error.ts'
import type { DamageReporter } from '../../session/damage.ts'
import { type BlobRecord, fieldsOf, parseRecord } from '../../values/blob-record.ts'
import { parseFields } from '../../values/json-fields.ts'
import type { Bucket, Overwrite } from '../client/bucket.ts'
import type { Names } from './names.ts'

/** An object, and the blob that holds its bytes. */
export interface S3Record extends BlobRecord {
  /** The blob's tag. A blob with another tag is not served as this object. */
  readonly blobTag: string
  /**
   * The id of the blob that this record replaced. A writer whose response was lost learns from it that its record was
   * written.
   */
  readonly over?: string | undefined
}

export interface FoundRecord {
  /** `null` if it is damaged. */
  readonly record: S3Record | null
  /** The id of the blob that is legible in a damaged record. */
  readonly legible?: string | undefined
  readonly tag: string
}

/** Reads and writes the records that name the blob of each key. */
export class Records {
  readonly #bucket: Bucket
  readonly #names: Names
  readonly #damage: DamageReporter
  /** Called when this process may have changed what a key holds. */
  onWrite: (key: string) => void = () => {}

  constructor(bucket: Bucket, names: Names, damage: DamageReporter) {
    this.#bucket = bucket
    this.#names = names
    this.#damage = damage
  }

  /** Returns the records for one operation, whose requests go through `bucket`. */
  through(bucket: Bucket): Records {
    const records = new Records(bucket, this.#names, this.#damage)
    records.onWrite = (key) => this.onWrite(key)
    return records
  }

  /** @returns `null` if the record does not exist */
  find(key: string): Promise<FoundRecord | null> {
    return this.findNamed(this.#names.record(key))
  }

  /** @returns `null` if the record does not exist or is not one of the store */
  async findNamed(name: string): Promise<FoundRecord | null> {
    if (!this.#names.isRecord(name)) {
      // Storage consoles create an object named `records/` for the folder.
      this.#damage.report(name, 'Its name is not that of a record.')
      return null
    }
    const found = await this.#bucket.get(name)
    if (found === null) return null
    const { text, tag } = found
    const record = parseS3Record(text)
    // A copy under another name would list its object twice, and removing it would remove the object's bytes.
    if (record !== null && this.#names.record(record.object.key) === name) return { record, tag }
    this.#damage.report(
      name,
      record === null ? 'It is not a record of an object.' : 'It is the record of another key.',
    )
    return { record: null, tag, legible: /"blob":"([\w-]{22})"/.exec(text)?.[1] }
  }

  /** @throws StoreError CORRUPT */
  async read(key: string): Promise<{ readonly record: S3Record; readonly tag: string } | null> {
    const found = await this.find(key)
    if (found === null) return null
    const { record, tag } = found
    if (record === null) {
      const text = `The record of ${JSON.stringify(key)} is damaged. Store the object again, or delete it.`
      throw new StoreError('CORRUPT', text)
    }
    return { record, tag }
  }

  /** Writes the record over the one with the tag `expected`. This is the commit point. */
  writeOver(record: S3Record, expected: string | null): Promise<Overwrite> {
    const { key } = record.object
    const writing = this.#bucket.putOver(this.#names.record(key), formatS3Record(record), expected)
    return writing.finally(() => this.onWrite(key))
  }

  /** @returns `false` if the existing record does not have the tag `expected` */
  remove(key: string, expected?: string): Promise<boolean> {
    return this.#bucket.remove(this.#names.record(key), expected).finally(() => this.onWrite(key))
  }
}

export function formatS3Record(record: S3Record): string {
  const { blobTag, over } = record
  return `${JSON.stringify({ ...fieldsOf(record), blobTag, over })}\n`
}

/** Returns the record in `text`, or `null` if it is damaged. */
export function parseS3Record(text: string): S3Record | null {
  const record = parseRecord(text)
  const { blobTag, over } = parseFields(text) ?? {}
  if (record === null || typeof blobTag !== 'string') return null
  return { ...record, blobTag, over: typeof over === 'string' ? over : undefined }
}
