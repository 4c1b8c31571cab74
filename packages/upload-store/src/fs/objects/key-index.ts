import type { ListOptions, ListPage } from '../../contract/store.ts'
import { StoreError } from '../../contract/store-error.ts'
import type { StoredObject } from '../../contract/stored-object.ts'
import { formatCursor, keyPrefix, pageSize, parseCursor } from '../../values/listing.ts'
import { type Layout, RECORD_FILE } from '../disk/layout.ts'
import { explainFailure } from '../disk/read-entry.ts'
import { ShardedNames } from '../disk/shards.ts'
import type { FsParts } from '../fs-context.ts'
import type { Contents } from './contents.ts'
import { readRecordFileSync } from './records.ts'

/** Above this number of new keys, sorting is cheaper than inserting them one by one. */
const MANY = 256
/** The number of records read at a time, so that a page leaves descriptors to other requests. */
const BATCH = 32

/** The objects of some keys, in their order. */
type Listed = readonly (StoredObject | null)[]

/**
 * All keys in the order of their UTF-8 bytes. A record's file name is derived from its key, so replacing an object does
 * not change the keys. The objects of a page are those that `Contents` keeps in memory, or they are read.
 */
export class KeyIndex {
  readonly #contents: Contents
  readonly #names: ShardedNames<string>
  /** Keys as strings of bytes, so that `<` compares bytes. JavaScript's own order puts U+FF5E after every emoji. */
  #keys: string[] = []
  #added: string[] = []
  readonly #removed = new Set<string>()

  constructor({ layout, damage }: FsParts<'layout' | 'damage'>, contents: Contents) {
    this.#contents = contents
    const onUnusable = (path: string, error: unknown) => damage.report(path, explainFailure(error))
    this.#names = new ShardedNames({
      directory: layout.records,
      marker: layout.records,
      pattern: RECORD_FILE,
      load: (path) => keyIn(layout, path, onUnusable),
      onUnusable,
      onAdd: (key) => this.#added.push(key),
      onRemove: (key) => {
        const at = this.#added.indexOf(key)
        if (at === -1) this.#removed.add(key)
        else this.#added.splice(at, 1)
      },
    })
  }

  /** Returns a text that changes whenever a page may have changed, whichever process has changed it. */
  async revision(): Promise<string> {
    await this.#names.refresh()
    return String(this.#names.revision)
  }

  async page(options: ListOptions = {}): Promise<ListPage> {
    await this.#names.refresh()
    this.#settle()
    const size = pageSize(options)
    const prefix = bytesOf(keyPrefix(options))
    const after = options.cursor === undefined ? undefined : bytesOf(parseCursor(options.cursor))
    const items: StoredObject[] = []
    // Reads one item more than requested, to learn whether another page follows.
    let place =
      after !== undefined && after >= prefix ? upperBound(this.#keys, after) : lowerBound(this.#keys, prefix)
    while (items.length <= size) {
      const keys = this.#keys.slice(place, place + Math.min(BATCH, size + 1 - items.length))
      const matching = keys.filter((key) => key.startsWith(prefix))
      for (const object of await this.#objectsOf(matching.map(textOf)))
        if (object !== null) items.push(object)
      const last = matching.at(-1)
      if (last === undefined || matching.length < keys.length) break
      place = upperBound(this.#keys, last)
    }
    return { items: items.slice(0, size), cursor: items.length > size ? formatCursor(items[size - 1]) : null }
  }

  /** Returns no promise if all objects are in memory, because a page of 1,000 calls this 32 times. */
  #objectsOf(keys: readonly string[]): Listed | Promise<Listed> {
    const kept = keys.map((key) => this.#contents.keptObject(key))
    if (!kept.includes(null)) return kept
    return Promise.all(keys.map((key, index) => kept[index] ?? this.#read(key)))
  }

  /** Resolves to `null` for a record that was deleted or damaged since it was indexed. */
  async #read(key: string): Promise<StoredObject | null> {
    try {
      return await this.#contents.object(key)
    } catch (error) {
      if (error instanceof StoreError && error.code === 'CORRUPT') return null
      throw error
    }
  }

  /** Applies the changes that the last refresh has found. */
  #settle(): void {
    if (this.#removed.size > 0) this.#keys = this.#keys.filter((key) => !this.#removed.has(key))
    this.#removed.clear()
    const added = this.#added
    this.#added = []
    if (added.length > MANY) this.#keys = this.#keys.concat(added).sort()
    else for (const key of added) this.#keys.splice(lowerBound(this.#keys, key), 0, key)
  }
}

/** Returns the key that a record names; `undefined` if the record is damaged or gone. */
function keyIn(
  layout: Layout,
  path: string,
  onUnusable: (path: string, error: unknown) => void,
): string | undefined {
  try {
    const key = readRecordFileSync(layout, path)?.object.key
    return key === undefined ? undefined : bytesOf(key)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    onUnusable(path, error)
    return undefined
  }
}

const bytesOf = (text: string): string => Buffer.from(text).toString('latin1')
const textOf = (bytes: string): string => Buffer.from(bytes, 'latin1').toString()

/** Returns the first index whose key is not less than `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  return search(keys, (other) => other < key)
}

/** Returns the first index whose key is greater than `key`. */
function upperBound(keys: readonly string[], key: string): number {
  return search(keys, (other) => other <= key)
}

function search(keys: readonly string[], isBefore: (key: string) => boolean): number {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(keys[middle] ?? '')) low = middle + 1
    else high = middle
  }
  return low
}
