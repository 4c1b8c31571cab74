import { CAPTIONS, type PageVideo } from '../../src/shared/video.ts'
import { request } from '../shared/notice.ts'
import { type Listing, toVideo } from '../shared/video.ts'

export interface Page {
  readonly videos: readonly PageVideo[]
  /** The cursor of the next page, `null` on the last. */
  readonly next: string | null
}

/** Fetches one page of the list; `null` if that fails, which the page shows unless `quietly`. */
export async function fetchPage(
  prefix: string,
  cursor: string | null,
  quietly: boolean,
): Promise<Page | null> {
  const query = new URLSearchParams(prefix === '' ? {} : { prefix })
  if (cursor !== null) query.set('cursor', cursor)
  const url = query.size === 0 ? '/videos' : `/videos?${query}`
  const response = quietly ? await fetch(url).catch(() => null) : await request(url)
  const listing: Listing | null = response?.ok ? await response.json().catch(() => null) : null
  if (listing === null) return null
  const items = listing.items.filter(({ type }) => type !== CAPTIONS)
  return { videos: items.map(toVideo), next: listing.cursor }
}

/** Fetches as many pages, from the first, as are necessary for `count` videos. */
export async function fetchPages(
  prefix: string,
  first: string | null,
  count: number,
  quietly: boolean,
): Promise<Page | null> {
  const videos: PageVideo[] = []
  let next = first
  do {
    const page = await fetchPage(prefix, next, quietly)
    if (page === null) return null
    videos.push(...page.videos)
    next = page.next
  } while (next !== null && videos.length < count)
  return { videos, next }
}
