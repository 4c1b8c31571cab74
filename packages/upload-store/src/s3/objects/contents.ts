import { Readable } from 'node:stream'
import { StoreError } from '../../contract/store-error.ts'
import type { S3Content } from '../../contract/stored-object.ts'
import { LruMap } from '../../values/lru-map.ts'
import type { Bucket } from '../client/bucket.ts'
import type { Downloads } from '../client/downloads.ts'
import { signUrl } from '../client/presign.ts'
import { operation, type S3Parts } from '../context/context.ts'
import type { Names } from '../context/names.ts'
import type { Records, S3Record } from '../context/records.ts'

/** The maximum number of records in memory, about 1000 bytes each. */
const MAX_KEPT = 10_000

interface Kept {
  readonly found: Promise<{ readonly content: S3Content; readonly blob: string } | null>
  /** When the record was requested, in ms. */
  readonly asked: number
}

/** Returns the objects of keys, by records that are at most `maxAge` old. */
export class Contents {
  readonly #bucket: Bucket
  readonly #records: Records
  readonly #names: Names
  readonly #downloads: Downloads
  readonly #maxAge: number
  readonly #kept = new LruMap<string, Kept>(MAX_KEPT)

  /** @param maxAge how long a record may be used after it was read, in ms; changes by this process are seen at once */
  constructor(
    { bucket, records, names, downloads }: S3Parts<'bucket' | 'names' | 'downloads' | 'records'>,
    maxAge: number,
  ) {
    this.#bucket = bucket
    this.#records = records
    this.#names = names
    this.#downloads = downloads
    this.#maxAge = maxAge
    records.onWrite = (key) => this.#kept.delete(key)
  }

  /** @throws StoreError CORRUPT, UNAVAILABLE */
  async get(key: string): Promise<S3Content | null> {
    const before = this.#kept.get(key)
    const asked = performance.now()
    if (before !== undefined && asked - before.asked < this.#maxAge)
      return (await before.found)?.content ?? null
    const kept = { found: this.#read(key, before), asked }
    this.#kept.set(key, kept)
    try {
      const found = await kept.found
      // A missing record is not cached.
      if (found === null) this.#drop(key, kept)
      return found?.content ?? null
    } catch (error) {
      this.#drop(key, kept)
      throw error
    }
  }

  async #read(key: string, before: Kept | undefined): Kept['found'] {
    const found = await this.#operation().records.read(key)
    if (found === null) return null
    const { blob } = found.record
    const known = await before?.found.catch(() => null)
    // Reused, because its URL is already signed.
    return known?.blob === blob ? known : { content: this.#toContent(found.record), blob }
  }

  #operation(): { readonly bucket: Bucket; readonly records: Records } {
    return operation({ bucket: this.#bucket, records: this.#records })
  }

  #drop(key: string, kept: Kept): void {
    if (this.#kept.get(key) === kept) this.#kept.delete(key)
  }

  #toContent(record: S3Record): S3Content {
    const { object, blob, blobTag: tag } = record
    const name = this.#names.blob(blob)
    const url = this.#downloads.url(name)
    const { timeout } = this.#bucket.limits
    return {
      ...object,
      name: object.key,
      stream: async ({ start, end } = { start: 0, end: object.size - 1 }) => {
        if (end < start) return Readable.from([])
        try {
          return await this.#downloads.open({ name, tag, start, end }, { url, timeout })
        } catch (error) {
          throw await this.#explain(error, record)
        }
      },
      signedUrl: (options) => signUrl(this.#bucket, { name, type: object.type }, options),
    }
  }

  /** Returns the error to throw. Missing bytes are damage only if the record still names them. */
  async #explain(error: unknown, { object, blob }: S3Record): Promise<unknown> {
    if (!(error instanceof StoreError && error.code === 'NOT_FOUND')) return error
    this.#kept.delete(object.key)
    const found = await this.#operation().records.find(object.key)
    const key = JSON.stringify(object.key)
    if (found?.record?.blob === blob)
      return new StoreError(
        'CORRUPT',
        `The bytes of ${key} are missing. Store the object again, or delete it.`,
      )
    return new StoreError('NOT_FOUND', `${key} was replaced or deleted. Request it again.`, { cause: error })
  }
}
