import { fromTemplate, get, maybe } from './dom.ts'
import { request, showProblem } from './notice.ts'
import { play } from './player.ts'
import { LOST } from './problem.ts'
import { fillRow, list, rows } from './row.ts'
import { scrollToStage } from './stage.ts'
import { type Listing, type Video, videoOf, videoOfItem } from './video.ts'

const more = get<HTMLAnchorElement>('#more')
/** Where this document's list begins. */
const firstCursor = new URLSearchParams(location.search).get('cursor')

export function enhanceLibrary(): void {
  for (const row of rows()) fillRow(row, videoOf(row))
  list.addEventListener('click', onOpen)
  more.addEventListener('click', showMore)
}

/** Reads as many pages again as are on screen, and keeps the rows that stay, so that focus stays too. */
export async function refresh(): Promise<void> {
  const old = new Map(rows().map((row) => [row.dataset['key'], row]))
  const videos: Video[] = []
  let next = firstCursor
  do {
    const page = await fetchList(next)
    if (page === null) return
    videos.push(...page.videos)
    next = page.next
  } while (next !== null && videos.length < old.size)
  const focused = document.activeElement
  list.replaceChildren(...videos.map((video) => fillRow(old.get(video.key) ?? fromTemplate('#row'), video)))
  if (focused instanceof HTMLElement && list.contains(focused)) focused.focus({ preventScroll: true })
  get('#empty').hidden = videos.length > 0
  setMore(next)
}

function onOpen(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest('.open') : null
  const row = link?.closest<HTMLElement>('.row')
  if (row == null || opensElsewhere(event)) return
  event.preventDefault()
  play(videoOf(row))
  scrollToStage()
}

async function showMore(event: MouseEvent): Promise<void> {
  if (opensElsewhere(event)) return
  event.preventDefault()
  // A double click would add the same rows twice.
  if (more.ariaBusy === 'true') return
  more.ariaBusy = 'true'
  const page = await fetchList(new URL(more.href).searchParams.get('cursor'))
  more.ariaBusy = null
  if (page === null) return
  const added = page.videos.map((video) => fillRow(fromTemplate('#row'), video))
  list.append(...added)
  setMore(page.next)
  maybe('.open', added[0])?.focus()
}

const opensElsewhere = ({ button, ctrlKey, metaKey, shiftKey, altKey }: MouseEvent): boolean =>
  button !== 0 || ctrlKey || metaKey || shiftKey || altKey

async function fetchList(cursor: string | null): Promise<{ videos: Video[]; next: string | null } | null> {
  const response = await request(`/videos${cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`}`)
  if (response === null) return null
  const listing: Listing | null = await response.json().catch(() => null)
  if (listing !== null)
    return {
      videos: listing.items.filter(({ type }) => type !== 'text/vtt').map(videoOfItem),
      next: listing.cursor,
    }
  showProblem(LOST)
  return null
}

function setMore(next: string | null): void {
  more.hidden = next === null
  more.href = next === null ? '/' : `/?cursor=${encodeURIComponent(next)}`
}
