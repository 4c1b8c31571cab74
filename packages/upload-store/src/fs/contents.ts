import { type BigIntStats, statSync } from 'node:fs'
import type { BlobRecord } from '../blob-record.ts'
import type { StoredContent } from '../object.ts'
import { openBlob } from './blobs.ts'
import type { Layout } from './layout.ts'
import { readRecord } from './records.ts'

/** The most records that are kept in memory; some 500 bytes each. */
const MAX_KEPT = 10_000

/** In ms. A file that was made a moment ago may have shared its number and its ctime with the one before it. */
const SETTLED_AFTER = 50

interface Kept {
  readonly path: string
  /** Of the record's file when it was read. */
  readonly identity: string
  readonly content: StoredContent
}

/** What the keys hold, as their records on disk say at this moment: a record is read again when its file is another one. */
export class Contents {
  readonly #layout: Layout
  readonly #kept = new Map<string, Kept>()

  constructor(layout: Layout) {
    this.#layout = layout
  }

  async get(key: string): Promise<StoredContent | null> {
    const kept = this.#kept.get(key)
    const path = kept?.path ?? this.#layout.record(key)
    // Another process may have replaced or deleted it. Some µs, where a call that waits takes as long as all the rest.
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
    this.#kept.delete(key)
    if (stats === undefined) return null
    const identity = identityOf(stats)
    if (kept !== undefined && kept.identity === identity) {
      // The order of the map is the order of use.
      this.#kept.set(key, kept)
      return kept.content
    }
    const record = await readRecord(this.#layout, key)
    if (record === null) return null
    const content = contentOf(this.#layout, record)
    if (isSettled(stats)) this.#keep(key, { path, identity, content })
    return content
  }

  #keep(key: string, kept: Kept): void {
    const [oldest] = this.#kept.size < MAX_KEPT ? [] : this.#kept.keys()
    if (oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(key, kept)
  }
}

function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`
}

function isSettled({ ctimeMs }: BigIntStats): boolean {
  return Date.now() - Number(ctimeMs) > SETTLED_AFTER
}

function contentOf(layout: Layout, record: BlobRecord): StoredContent {
  const { object, blob } = record
  const stream: StoredContent['stream'] = (range) => openBlob(layout, record, range)
  // A blob's id is new with each publication, and its bytes never change.
  return { ...object, name: object.key, stream: Object.assign(stream, { immutableFile: layout.blob(blob) }) }
}
