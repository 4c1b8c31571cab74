import type { ListOptions, ListPage, StoredObject } from './store.ts'

const MAX_LIMIT = 1000

/** The order of UTF-8 bytes, which S3 lists in too; JavaScript's own puts U+FF5E behind every emoji. */
function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** Cuts one page out of all objects, in whatever order they come. */
export function pageOf(objects: readonly StoredObject[], options: ListOptions = {}): ListPage {
  const { prefix = '', cursor, limit = 50 } = options
  const after = cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString()
  const size = Math.min(Math.max(Math.trunc(limit), 1), MAX_LIMIT)
  const rest = objects
    .filter(({ key }) => key.startsWith(prefix) && (after === undefined || compareKeys(key, after) > 0))
    .sort((a, b) => compareKeys(a.key, b.key))
  const items = rest.slice(0, size)
  const last = items.at(-1)
  const more = rest.length > items.length && last !== undefined
  return { items, cursor: more ? Buffer.from(last.key).toString('base64url') : null }
}
