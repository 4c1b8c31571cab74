import type { Order, PageVideo } from '../../src/shared/video.ts'
import { request } from '../shared/notice.ts'
import { type Listing, toVideo } from '../shared/video.ts'

export interface Page {
  readonly videos: readonly PageVideo[]
  /** The cursor of the next page, `null` on the last. */
  readonly next: string | null
  readonly total: Listing['total']
}

/** What a list shows, and in which order. */
export interface Query {
  /** What all names contain; empty: anything. */
  readonly contains: string
  readonly order: Order
}

export const isSameQuery = (one: Query, other: Query): boolean =>
  one.contains === other.contains && one.order === other.order

/** Fetches one page of the list; `null` if that fails, which the page shows unless `quietly`. */
export async function fetchPage(
  { contains, order }: Query,
  cursor: string | null,
  quietly: boolean,
): Promise<Page | null> {
  const query = new URLSearchParams({ order })
  if (contains !== '') query.set('contains', contains)
  if (cursor !== null) query.set('cursor', cursor)
  const url = `/videos?${query}`
  const response = quietly ? await fetch(url).catch(() => null) : await request(url)
  const listing: Listing | null = response?.ok ? await response.json().catch(() => null) : null
  if (listing === null) return null
  return { videos: listing.items.map(toVideo), next: listing.cursor, total: listing.total }
}

/** Fetches as many pages, from the first, as are necessary for `count` videos. */
export async function fetchPages(
  query: Query,
  first: string | null,
  count: number,
  quietly: boolean,
): Promise<Page | null> {
  const videos: PageVideo[] = []
  let next = first
  let total: Page['total'] = null
  do {
    const page = await fetchPage(query, next, quietly)
    if (page === null) return null
    videos.push(...page.videos)
    next = page.next
    total = page.total
  } while (next !== null && videos.length < count)
  return { videos, next, total }
}
