import { type BigIntStats, lstatSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { StoreError } from '../../contract/store-error.ts'
import type { StoredContent, StoredObject } from '../../contract/stored-object.ts'
import type { BlobRecord } from '../../values/blob-record.ts'
import { normalizeKey } from '../../values/key.ts'
import { LruMap } from '../../values/lru-map.ts'
import { hasCode, isDirectory, unavailable } from '../disk/files.ts'
import { isSettled } from '../disk/is-settled.ts'
import { explainFailure, isUnusable, UnreadableEntry } from '../disk/read-entry.ts'
import { statFile } from '../disk/stat-file.ts'
import type { FsParts } from '../fs-context.ts'
import { openBlob } from './blobs.ts'
import { readRecord } from './records.ts'

/** The maximum number of records in memory, about 500 bytes each. */
const MAX_KEPT = 10_000

interface Kept {
  readonly path: string
  readonly object: StoredObject
  /** Identifies the record's file as it was read. */
  readonly stats: BigIntStats
  readonly content: StoredContent
}

/**
 * Returns the objects of keys as their records on disk describe them now. Reads a record again when its file was
 * replaced.
 */
export class Contents {
  readonly #context: FsParts<'layout' | 'damage'>
  readonly #kept = new LruMap<string, Kept>(MAX_KEPT)

  constructor(context: FsParts<'layout' | 'damage'>) {
    this.#context = context
  }

  /** Returns the object if it is in memory and its record's file is the one that was read, or else `null`. */
  keptObject(key: string): StoredObject | null {
    const kept = this.#kept.get(key)
    const stats = kept && statFile(kept.path)
    return kept !== undefined && stats !== undefined && isSameFile(kept.stats, stats) ? kept.object : null
  }

  /** `UploadStore.get`. @throws StoreError INVALID_KEY, CORRUPT, UNAVAILABLE */
  readonly find = async (key: string): Promise<StoredContent | null> => this.get(normalizeKey(key))

  /** Like `get`, without what is needed to open the content. */
  async object(key: string): Promise<StoredObject | null> {
    const content = await this.get(key)
    if (content === null) return null
    const { size, type, digest, etag, lastModified, metadata } = content
    return { key, size, type, digest, etag, lastModified, metadata }
  }

  /**
   * Returns no promise if the record is in memory, because a promise takes as long as the rest of the call.
   *
   * @throws StoreError CORRUPT if the record is damaged, UNAVAILABLE if the store's directory is gone
   */
  get(key: string): StoredContent | null | Promise<StoredContent | null> {
    const kept = this.#kept.get(key)
    const path = kept?.path ?? this.#context.layout.record(key)
    try {
      // Another process may have replaced or deleted it.
      const now = Date.now()
      const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false })
      if (kept !== undefined && stats !== undefined && isSameFile(kept.stats, stats)) return kept.content
      this.#kept.delete(key)
      if (stats === undefined) return this.#missing(path)
      return this.#read(key, path, stats, now)
    } catch (error) {
      throw this.#explain(key, path, error)
    }
  }

  async #read(key: string, path: string, stats: BigIntStats, now: number): Promise<StoredContent | null> {
    try {
      const record = await readRecord(this.#context.layout, key)
      if (record === null) return null
      const content = this.#toContent(record)
      // A replacing record may get the same inode number and time stamps until the clock of the file system ticks.
      if (isSettled(stats.ctimeNs, now)) this.#kept.set(key, { path, object: record.object, stats, content })
      return content
    } catch (error) {
      throw this.#explain(key, path, error)
    }
  }

  /** A key without a record holds nothing, unless the record's directories are gone. */
  #missing(path: string): null {
    const shard = lstatSync(dirname(path), { throwIfNoEntry: false })
    if (shard !== undefined && !shard.isDirectory() && !isDirectory(dirname(path)))
      throw new UnreadableEntry('Its directory is not a directory.')
    if (shard === undefined && !isDirectory(this.#context.layout.records))
      throw unavailable(missing(this.#context.layout.records))
    return null
  }

  #explain(key: string, path: string, error: unknown): unknown {
    const { layout, damage } = this.#context
    if (!isDamage(error))
      return hasCode(error, 'ESTALE', 'ENOTCONN', 'ETIMEDOUT') ? unavailable(error) : error
    if (!isDirectory(layout.records)) return unavailable(error)
    damage.report(path, explainFailure(error))
    const text = `The record of ${JSON.stringify(key)} is damaged. Store the object again, or delete it.`
    return new StoreError('CORRUPT', text, { cause: error })
  }

  #toContent(record: BlobRecord): StoredContent {
    const { object, blob } = record
    const immutableFile = this.#context.layout.blob(blob)
    const stream: StoredContent['stream'] = (range) => this.#open(record, immutableFile, range)
    // Each publication creates a new blob id, and the bytes of a blob never change.
    return { ...object, name: object.key, stream, immutableFile }
  }

  async #open(record: BlobRecord, path: string, range: Parameters<typeof openBlob>[2]): Promise<Readable> {
    try {
      return await openBlob(this.#context.layout, record, range)
    } catch (error) {
      const isMissing = error instanceof StoreError && error.code === 'NOT_FOUND'
      if (!isMissing && !isDamage(error)) throw error
      if (!isDirectory(this.#context.layout.blobs)) throw unavailable(error)
      if (isMissing) throw error
      this.#context.damage.report(path, explainFailure(error))
      if (error instanceof StoreError) throw error
      const text = `The bytes of ${JSON.stringify(record.object.key)} cannot be read. Store the object again, or delete it.`
      throw new StoreError('CORRUPT', text, { cause: error })
    }
  }
}

function missing(directory: string): Error {
  return Object.assign(new Error(`The directory ${directory} does not exist.`), { code: 'ENOENT' })
}

function isDamage(error: unknown): boolean {
  return isUnusable(error) || (error instanceof StoreError && error.code === 'CORRUPT')
}

function isSameFile(a: BigIntStats, b: BigIntStats): boolean {
  return (
    a.ino === b.ino &&
    a.ctimeNs === b.ctimeNs &&
    a.mtimeNs === b.mtimeNs &&
    a.size === b.size &&
    a.dev === b.dev
  )
}
