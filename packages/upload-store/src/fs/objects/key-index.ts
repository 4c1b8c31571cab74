import type { ListOptions, ListOrder, ListPage } from '../../contract/store.ts'
import { StoreError } from '../../contract/store-error.ts'
import type { StoredObject } from '../../contract/stored-object.ts'
import {
  comparison,
  formatCursor,
  keyPrefix,
  type Listed,
  pageSize,
  parseCursor,
  selection,
  totalOf,
} from '../../values/listing.ts'
import { LruMap } from '../../values/lru-map.ts'
import { lowerBound, Ordered, upperBound } from '../../values/ordered.ts'
import { isSettled } from '../disk/is-settled.ts'
import { type Layout, RECORD_FILE } from '../disk/layout.ts'
import { explainFailure } from '../disk/read-entry.ts'
import { ShardedNames } from '../disk/shards.ts'
import { statFile } from '../disk/stat-file.ts'
import type { FsParts } from '../fs-context.ts'
import type { Contents } from './contents.ts'
import { readRecordFileSync } from './records.ts'

/** The number of records read at a time, so that a page leaves descriptors to other requests. */
const BATCH = 32
/** How many selections stay in memory, for the next pages of the same list. */
const MAX_SELECTIONS = 4

/** What is in memory of each object. */
interface Entry extends Listed {
  /** The record's inode, and its ctime in ns; `null` if the record may change and keep that ctime. */
  readonly inode: bigint
  readonly changed: bigint | null
}

interface Selection {
  readonly entries: readonly Entry[]
  readonly total: NonNullable<ListPage['total']>
}

/** The objects of some keys, in their order. */
type Objects = readonly (StoredObject | null)[]

/**
 * All objects in the orders of lists: key, size and date of each are in memory. The objects of a page are those that
 * `Contents` keeps in memory, or they are read.
 */
export class KeyIndex {
  readonly #contents: Contents
  readonly #names: ShardedNames<Entry>
  readonly #byKey = new Map<string, Entry>()
  /** Made when a list first asks for the order. */
  readonly #orders = new Map<ListOrder, Ordered<Entry, Listed>>()
  #selections = new LruMap<string, Selection>(MAX_SELECTIONS)
  readonly #added = new Set<Entry>()
  readonly #removed = new Set<Entry>()

  constructor({ layout, damage }: FsParts<'layout' | 'damage'>, contents: Contents) {
    this.#contents = contents
    const onUnusable = (path: string, error: unknown) => damage.report(path, explainFailure(error))
    this.#names = new ShardedNames({
      directory: layout.records,
      marker: layout.records,
      pattern: RECORD_FILE,
      load: (path) => entryIn(layout, path, onUnusable),
      isCurrent,
      onUnusable,
      onAdd: (entry) => this.#added.add(entry),
      onRemove: (entry) => {
        if (!this.#added.delete(entry)) this.#removed.add(entry)
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
    const { order, cursor } = options
    const { entries, total } = this.#select(options)
    const size = pageSize(options)
    const items: StoredObject[] = []
    let place = cursor === undefined ? 0 : upperBound(entries, parseCursor(order, cursor), comparison(order))
    // Reads one item more than requested, to learn whether another page follows.
    while (items.length <= size && place < entries.length) {
      const batch = entries.slice(place, place + Math.min(BATCH, size + 1 - items.length))
      for (const object of await this.#objectsOf(batch)) if (object !== null) items.push(object)
      place += batch.length
    }
    const last = items.length > size ? formatCursor(order, items[size - 1]) : null
    return { items: items.slice(0, size), cursor: last, total }
  }

  /** Returns the entries that belong to a list, in its order. */
  #select(options: ListOptions): Selection {
    const { order, prefix, contains, companions } = options
    const name = JSON.stringify([order, prefix, contains, companions])
    const before = this.#selections.get(name)
    if (before !== undefined) return before
    const all = this.#ordered(order)
    const entries = isEverything(options)
      ? all
      : withPrefix(all, options).filter(selection(options, (key) => this.#byKey.has(key)))
    const selected = { entries, total: totalOf(entries) }
    this.#selections.set(name, selected)
    return selected
  }

  #ordered(order: ListOrder = 'key'): readonly Entry[] {
    const known = this.#orders.get(order)
    if (known !== undefined) return known.entries
    const made = new Ordered<Entry, Listed>(comparison(order), this.#byKey.values())
    this.#orders.set(order, made)
    return made.entries
  }

  /** Returns no promise if all objects are in memory, because a page of 1,000 calls this 32 times. */
  #objectsOf(entries: readonly Entry[]): Objects | Promise<Objects> {
    const kept = entries.map(({ key }) => this.#contents.keptObject(key))
    if (!kept.includes(null)) return kept
    return Promise.all(entries.map(({ key }, index) => kept[index] ?? this.#read(key)))
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
    if (this.#removed.size === 0 && this.#added.size === 0) return
    for (const { key } of this.#removed) this.#byKey.delete(key)
    for (const entry of this.#added) this.#byKey.set(entry.key, entry)
    for (const ordered of this.#orders.values()) ordered.apply(this.#removed, this.#added)
    this.#removed.clear()
    this.#added.clear()
    this.#selections = new LruMap(MAX_SELECTIONS)
  }
}

function isEverything({ prefix = '', contains = '', companions }: ListOptions): boolean {
  return prefix === '' && contains === '' && companions !== false
}

/** In the order of keys, those with a prefix follow each other. */
function withPrefix(entries: readonly Entry[], options: ListOptions): readonly Entry[] {
  const prefix = keyPrefix(options)
  const { order = 'key' } = options
  if (prefix === '' || order !== 'key') return entries
  const compare = comparison(order)
  const start = lowerBound(entries, { key: prefix, size: 0, lastModified: 0 }, compare)
  let end = start
  while (entries[end]?.key.startsWith(prefix)) end++
  return entries.slice(start, end)
}

/** Returns the entry of a record; `undefined` if the record is damaged or gone. */
function entryIn(
  layout: Layout,
  path: string,
  onUnusable: (path: string, error: unknown) => void,
): Entry | undefined {
  try {
    const now = Date.now()
    const stats = statFile(path)
    const object = readRecordFileSync(layout, path)?.object
    if (stats === undefined || object === undefined) return undefined
    const { key, size, lastModified } = object
    const { ino: inode, ctimeNs } = stats
    return { key, size, lastModified, inode, changed: isSettled(ctimeNs, now) ? ctimeNs : null }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    onUnusable(path, error)
    return undefined
  }
}

/** Whether the record has not been replaced since it was read. */
function isCurrent({ inode, changed }: Entry, path: string): boolean {
  const stats = changed === null ? undefined : statFile(path)
  return stats?.ino === inode && stats.ctimeNs === changed
}
