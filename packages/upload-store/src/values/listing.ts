import type { ListOptions, ListPage } from '../contract/store.ts'
import type { StoredObject } from '../contract/stored-object.ts'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 1000

export function pageSize({ limit = DEFAULT_LIMIT }: ListOptions): number {
  return Math.min(Math.max(Math.trunc(limit) || DEFAULT_LIMIT, 1), MAX_LIMIT)
}

/** The prefix in the form that keys have; see `normalizeKey`. */
export function keyPrefix({ prefix = '' }: ListOptions): string {
  return prefix.normalize('NFC')
}

/** The cursor of a page that ends with `object`; `parseCursor` gives back its key. */
export function formatCursor(object: Pick<StoredObject, 'key'> | undefined): string | null {
  return object === undefined ? null : Buffer.from(object.key).toString('base64url')
}

export function parseCursor(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString()
}

/** Compares by UTF-8 bytes, as S3 lists keys. JavaScript's own order (UTF-16) puts U+FF5E after every emoji. */
function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** Cuts one page out of all objects, in whatever order they come. */
export function selectPage(objects: readonly StoredObject[], options: ListOptions = {}): ListPage {
  const { cursor } = options
  const prefix = keyPrefix(options)
  const after = cursor === undefined ? undefined : parseCursor(cursor)
  const size = pageSize(options)
  const rest = objects
    .filter(({ key }) => key.startsWith(prefix) && (after === undefined || compareKeys(key, after) > 0))
    .sort((a, b) => compareKeys(a.key, b.key))
  const items = rest.slice(0, size)
  return { items, cursor: rest.length > items.length ? formatCursor(items.at(-1)) : null }
}
