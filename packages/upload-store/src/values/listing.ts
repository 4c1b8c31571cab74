import type { ListOptions, ListOrder, ListPage } from '../contract/store.ts'
import type { StoredObject } from '../contract/stored-object.ts'
import { companionKeys } from './companion.ts'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 1000

/** What a list sorts and selects objects by. */
export type Listed = Pick<StoredObject, 'key' | 'size' | 'lastModified'>

export function pageSize({ limit = DEFAULT_LIMIT }: ListOptions): number {
  return Math.min(Math.max(Math.trunc(limit) || DEFAULT_LIMIT, 1), MAX_LIMIT)
}

/** The prefix in the form that keys have; see `normalizeKey`. */
export function keyPrefix({ prefix = '' }: ListOptions): string {
  return prefix.normalize('NFC')
}

/**
 * Compares by code points, which is the order of UTF-8 bytes, as S3 lists keys. JavaScript's own order (UTF-16) puts U+FF5E
 * after every emoji.
 */
function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const [one, other] = [a.charCodeAt(at), b.charCodeAt(at)]
    if (one !== other) return rank(one) - rank(other)
  }
  return a.length - b.length
}

/** Moves surrogates, which stand for code points from U+10000 on, behind U+FFFF. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

const COMPARE: Readonly<Record<ListOrder, (a: Listed, b: Listed) => number>> = {
  key: (a, b) => compareKeys(a.key, b.key),
  name: compareNames,
  newest: (a, b) => b.lastModified - a.lastModified || compareKeys(a.key, b.key),
  largest: (a, b) => b.size - a.size || compareKeys(a.key, b.key),
}

/** The names of keys as people sort them: without case and accents, and 2 before 10. */
const sortNames = new WeakMap<Listed, string>()

function sortName(listed: Listed): string {
  const known = sortNames.get(listed)
  if (known !== undefined) return known
  const name = searchForm(listed.key).replace(/\d+/g, (digits) => digits.padStart(15, '0'))
  sortNames.set(listed, name)
  return name
}

function compareNames(a: Listed, b: Listed): number {
  const [one, other] = [sortName(a), sortName(b)]
  return one < other ? -1 : one > other ? 1 : compareKeys(a.key, b.key)
}

/** Returns the comparison of an order. Different keys are never equal in it. */
export function comparison(order: ListOrder = 'key'): (a: Listed, b: Listed) => number {
  return COMPARE[order]
}

/** The cursor of a page that ends with `last`. */
export function formatCursor(order: ListOrder | undefined, last: Listed | undefined): string | null {
  if (last === undefined) return null
  const { key, size, lastModified } = last
  const value = order === 'newest' ? `${lastModified}\n` : order === 'largest' ? `${size}\n` : ''
  return Buffer.from(`${value}${key}`).toString('base64url')
}

/** The position that `formatCursor` has written; of an unknown cursor, one that is after all objects or between some. */
export function parseCursor(order: ListOrder | undefined, cursor: string): Listed {
  const text = Buffer.from(cursor, 'base64url').toString()
  if (order === undefined || order === 'key' || order === 'name')
    return { key: text, size: 0, lastModified: 0 }
  const at = text.indexOf('\n')
  const value = at === -1 ? Number.NaN : Number(text.slice(0, at))
  const number = Number.isFinite(value) ? value : Number.NEGATIVE_INFINITY
  return { key: text.slice(at + 1), size: number, lastModified: number }
}

const ASCII = /^[\x20-\x7e]*$/

/** Returns `text` without case, accents and differences of Unicode form, for searches. */
function searchForm(text: string): string {
  // Most names are ASCII, and this takes a tenth of the time.
  if (ASCII.test(text)) return text.toLowerCase()
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/ß/g, 'ss')
}

/**
 * Returns the test for objects that belong to a list.
 *
 * @param exists tells whether an object has a key
 */
export function selection(
  options: ListOptions,
  exists: (key: string) => boolean,
): (object: Pick<Listed, 'key'>) => boolean {
  const prefix = keyPrefix(options)
  const text = searchForm(options.contains ?? '')
  const hidesCompanions = options.companions === false
  return ({ key }) =>
    key.startsWith(prefix) &&
    (text === '' || searchForm(key).includes(text)) &&
    !(hidesCompanions && companionKeys(key).some(exists))
}

export function totalOf(objects: readonly Listed[]): { readonly count: number; readonly size: number } {
  return { count: objects.length, size: objects.reduce((sum, { size }) => sum + size, 0) }
}

/** Cuts one page out of all objects, in whatever order they come. */
export function selectPage(objects: readonly StoredObject[], options: ListOptions = {}): ListPage {
  const { cursor, order } = options
  const compare = comparison(order)
  const keys = new Set(objects.map(({ key }) => key))
  const matching = objects.filter(selection(options, (key) => keys.has(key))).sort(compare)
  const after = cursor === undefined ? undefined : parseCursor(order, cursor)
  const rest = after === undefined ? matching : matching.filter((object) => compare(object, after) > 0)
  const items = rest.slice(0, pageSize(options))
  const isLast = rest.length === items.length
  return { items, cursor: isLast ? null : formatCursor(order, items.at(-1)), total: totalOf(matching) }
}
