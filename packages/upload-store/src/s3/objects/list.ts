import type { ListOptions, ListPage } from '../../contract/store.ts'
import { StoreError } from '../../contract/store-error.ts'
import type { StoredObject } from '../../contract/stored-object.ts'
import { companionKeys } from '../../values/companion.ts'
import {
  comparison,
  formatCursor,
  keyPrefix,
  pageSize,
  parseCursor,
  selection,
  totalOf,
} from '../../values/listing.ts'
import type { Bucket } from '../client/bucket.ts'
import { operation, type S3Context, type S3Parts } from '../context/context.ts'
import type { Names } from '../context/names.ts'
import type { Records } from '../context/records.ts'

/** The number of records read at a time: a quarter of all connections. */
const BATCH = 64
/** The most keys that a search reads, 1,000 a request. */
const MAX_SEARCHED = 10_000
/** The most objects that are read to be sorted, a request each. */
const MAX_SORTED = 1000
/** S3's own limit for a page. */
const NAMES_PER_REQUEST = 1000

/** @throws StoreError UNSUPPORTED, UNAVAILABLE */
export function listObjects(context: S3Context, options: ListOptions = {}): Promise<ListPage> {
  const parts = operation(context)
  const { order = 'key', contains = '' } = options
  if (order !== 'key') return sortedPage(parts, options)
  return contains === '' ? pageInOrder(parts, options) : searchedPage(parts, options)
}

type Parts = S3Parts<'bucket' | 'names' | 'records'>

/** Lists as S3 does: by key. */
async function pageInOrder({ bucket, names, records }: Parts, options: ListOptions): Promise<ListPage> {
  const limit = pageSize(options)
  const prefix = names.record(keyPrefix(options))
  const items: StoredObject[] = []
  for (let after = startOf(names, options); ; ) {
    const { listed, isLast } = await bucket.page(prefix, after, limit)
    const found = await readInTime(
      { bucket, records },
      listed.map(({ name }) => name),
    )
    // Skips records that were deleted meanwhile or are damaged.
    const objects = found.flatMap((object) => object ?? [])
    items.push(...(options.companions === false ? await withoutCompanions(records, objects) : objects))
    const last = listed[found.length - 1]
    if (last === undefined || (isLast && found.length === listed.length))
      return { items, cursor: null, total: null }
    const key = names.parseRecordName(last.name)
    if (items.length > 0 && key !== null)
      return { items, cursor: formatCursor('key', { key, size: 0, lastModified: 0 }), total: null }
    after = last.name
  }
}

/** Selects by the keys alone, and reads the objects of the page. */
async function searchedPage({ bucket, names, records }: Parts, options: ListOptions): Promise<ListPage> {
  const keys = await selectedKeys({ bucket, names }, options)
  const after = options.cursor === undefined ? undefined : parseCursor('key', options.cursor).key
  const compare = comparison('key')
  const at = (key: string) => ({ key, size: 0, lastModified: 0 })
  const rest = after === undefined ? keys : keys.filter((key) => compare(at(key), at(after)) > 0)
  const page = rest.slice(0, pageSize(options))
  const found = await readInTime(
    { bucket, records },
    page.map((key) => names.record(key)),
  )
  const last = page[found.length - 1]
  const isLast = last === undefined || found.length === rest.length
  const cursor = isLast ? null : formatCursor('key', at(last))
  return { items: found.flatMap((object) => object ?? []), cursor, total: null }
}

/** Reads all objects of the list, and sorts them. */
async function sortedPage({ bucket, names, records }: Parts, options: ListOptions): Promise<ListPage> {
  const { order, cursor } = options
  const keys = await selectedKeys({ bucket, names }, options)
  if (keys.length > MAX_SORTED)
    throw tooMany(keys.length, MAX_SORTED, 'be sorted: a bucket has only the order of keys')
  const recordNames = keys.map((key) => names.record(key))
  const objects: StoredObject[] = []
  for (let start = 0; start < recordNames.length; start += BATCH) {
    const batch = recordNames.slice(start, start + BATCH).map((name) => records.findNamed(name))
    objects.push(...(await Promise.all(batch)).flatMap((found) => found?.record?.object ?? []))
  }
  const compare = comparison(order)
  objects.sort(compare)
  const after = cursor === undefined ? undefined : parseCursor(order, cursor)
  const rest = after === undefined ? objects : objects.filter((object) => compare(object, after) > 0)
  const items = rest.slice(0, pageSize(options))
  const isLast = items.length === rest.length
  return { items, cursor: isLast ? null : formatCursor(order, items.at(-1)), total: totalOf(objects) }
}

/** Returns the keys that belong to the list, in their order. */
async function selectedKeys(
  { bucket, names }: S3Parts<'bucket' | 'names'>,
  options: ListOptions,
): Promise<readonly string[]> {
  const prefix = names.record(keyPrefix(options))
  const keys: string[] = []
  for (let after = ''; ; ) {
    const { listed, isLast } = await bucket.page(prefix, after, NAMES_PER_REQUEST)
    for (const { name } of listed) keys.push(...[names.parseRecordName(name)].filter((key) => key !== null))
    if (keys.length > MAX_SEARCHED) throw tooMany(keys.length, MAX_SEARCHED, 'be searched')
    const last = listed.at(-1)
    if (isLast || last === undefined) break
    after = last.name
  }
  const all = new Set(keys)
  const isSelected = selection(options, (key) => all.has(key))
  return keys.filter((key) => isSelected({ key }))
}

/** Returns the objects of a page. If S3 is slow, the page becomes shorter and the request does not fail. */
async function readInTime(
  { bucket, records }: { readonly bucket: Bucket; readonly records: Records },
  names: readonly string[],
): Promise<(StoredObject | null)[]> {
  const found: (StoredObject | null)[] = []
  while (found.length < names.length && (found.length === 0 || bucket.left > bucket.limits.timeout / 2)) {
    const batch = names.slice(found.length, found.length + BATCH)
    const read = await Promise.all(batch.map((name) => records.findNamed(name)))
    found.push(...read.map((each) => each?.record?.object ?? null))
  }
  return found
}

/** The object of a companion may be on another page, so that its record has to be read. */
async function withoutCompanions(
  records: Records,
  objects: readonly StoredObject[],
): Promise<StoredObject[]> {
  const known = new Set(objects.map(({ key }) => key))
  const unknown = new Set(objects.flatMap(({ key }) => companionKeys(key)).filter((key) => !known.has(key)))
  const found = await Promise.all([...unknown].map(async (key) => ((await records.find(key)) ? [key] : [])))
  const existing = new Set([...known, ...found.flat()])
  return objects.filter(({ key }) => !companionKeys(key).some((owner) => existing.has(owner)))
}

function startOf(names: Names, { cursor }: ListOptions): string {
  return cursor === undefined ? '' : names.record(parseCursor('key', cursor).key)
}

function tooMany(count: number, limit: number, purpose: string): StoreError {
  return new StoreError(
    'UNSUPPORTED',
    `The list has at least ${count} objects, and at most ${limit} can ${purpose}. List by key, or narrow the list.`,
  )
}
