import { humanSize } from '../../src/shared/human-size.ts'
import { countText, parseOrder } from '../../src/shared/video.ts'
import { play } from '../player/player.ts'
import { scrollToStage } from '../player/stage.ts'
import { announce, fromTemplate, get, maybe } from '../shared/dom.ts'
import { state } from '../shared/state.ts'
import { readVideo } from '../shared/video.ts'
import { fetchPage, fetchPages, isSameQuery, type Page, type Query } from './listing.ts'
import { unobserveRows } from './posters.ts'
import { fillRow, list, markCurrent, rows } from './row.ts'

const more = get<HTMLAnchorElement>('#more')
const input = get<HTMLInputElement>('#search input')
const select = get<HTMLSelectElement>('#order')
const currentQuery = (): Query => ({ contains: input.value, order: parseOrder(select.value) })
/** What is shown: the videos of this query, from this cursor on. */
let query = currentQuery()
let first = new URLSearchParams(location.search).get('cursor')

/** How often the list is refreshed, in ms; an unchanged list is a 304. */
const REFRESH_INTERVAL = 10_000
/** Time between the last letter and the search, in ms. */
const PAUSE = 200

export function enhanceLibrary(): void {
  for (const row of rows()) fillRow(row, readVideo(row), query.contains)
  state.onPlaying(() => rows().forEach(markCurrent))
  list.addEventListener('click', onOpen)
  more.addEventListener('click', showMore)
  let timer = 0
  input.addEventListener('input', () => {
    clearTimeout(timer)
    timer = setTimeout(() => void search(), PAUSE)
  })
  select.addEventListener('change', () => void search())
  get('#search').addEventListener('submit', (event) => {
    event.preventDefault()
    clearTimeout(timer)
    void search()
  })
}

/**
 * Fetches as many pages as are on screen, and keeps the rows of videos that still exist, with their focus.
 *
 * @param quietly shows no problem, because no person has asked for the refresh
 */
export async function refresh(quietly = false): Promise<void> {
  const asked = query
  const page = await fetchPages(query, first, rows().length, quietly)
  // Another search may have begun.
  if (page !== null && isSameQuery(asked, query)) render(page)
}

/** Refreshes the list regularly while the page is visible, and when it becomes visible again. */
export function enableAutoRefresh(): void {
  let asking = false
  const ask = async (): Promise<void> => {
    if (document.hidden || asking) return
    asking = true
    await refresh(true)
    asking = false
  }
  setInterval(() => void ask(), REFRESH_INTERVAL)
  for (const event of ['focus', 'online']) addEventListener(event, () => void ask())
  // The page was restored from the back-forward cache; a page that was just loaded is up to date.
  addEventListener('pageshow', ({ persisted }) => void (persisted && ask()))
  document.addEventListener('visibilitychange', () => void ask())
}

async function search(): Promise<void> {
  query = currentQuery()
  first = null
  const asked = query
  const page = await fetchPage(query, null, false)
  if (page === null || !isSameQuery(asked, query)) return
  render(page)
  announceFound(page)
}

function announceFound({ total, videos }: Page): void {
  const count = total?.count ?? videos.length
  if (query.contains !== '') announce(`${count} ${count === 1 ? 'result' : 'results'}`)
}

/** Puts the video that plays first, if it is on another page of the list. */
function withPlaying(videos: Page['videos']): Page['videos'] {
  const { playing } = state
  const isShown = playing === null || videos.some(({ key }) => key === playing.key)
  return isShown || query.contains !== '' || state.deleted.has(playing.key) ? videos : [playing, ...videos]
}

function render({ videos: listed, next, total }: Page): void {
  const videos = withPlaying(listed)
  const old = new Map(rows().map((row) => [row.dataset['key'], row]))
  const focused = document.activeElement
  const now = videos.map((video) =>
    fillRow(old.get(video.key) ?? fromTemplate('#row'), video, query.contains),
  )
  // Rows that are put where they are would lose the focus for a moment, and a click that is under way.
  if (now.length !== old.size || now.some((row, index) => list.children[index] !== row))
    list.replaceChildren(...now)
  if (focused instanceof HTMLElement && list.contains(focused)) focused.focus({ preventScroll: true })
  unobserveRows([...old.values()].filter((row) => !row.isConnected))
  const isEmpty = videos.every(({ key }) => state.deleted.has(key))
  get('#empty').hidden = !isEmpty || query.contains !== ''
  get('#unfound').hidden = !isEmpty || query.contains === ''
  get('#unfound bdi').textContent = query.contains
  get('#count').textContent = total === null ? '' : countText(total.count, humanSize(total.size))
  setMore(next)
}

function onOpen(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest('.open') : null
  const row = link?.closest<HTMLElement>('.row')
  if (row == null || opensElsewhere(event)) return
  event.preventDefault()
  play(readVideo(row))
  scrollToStage()
}

async function showMore(event: MouseEvent): Promise<void> {
  if (opensElsewhere(event)) return
  event.preventDefault()
  // A double click would add the same rows twice.
  if (more.ariaBusy === 'true') return
  more.ariaBusy = 'true'
  const asked = query
  const page = await fetchPage(query, new URL(more.href).searchParams.get('cursor'), false)
  more.ariaBusy = null
  if (page === null || !isSameQuery(asked, query)) return
  const added = page.videos.map((video) => fillRow(fromTemplate('#row'), video, query.contains))
  list.append(...added)
  setMore(page.next)
  maybe('.open', added[0])?.focus()
}

const opensElsewhere = ({ button, ctrlKey, metaKey, shiftKey, altKey }: MouseEvent): boolean =>
  button !== 0 || ctrlKey || metaKey || shiftKey || altKey

function setMore(next: string | null): void {
  more.hidden = next === null
  more.href = next === null ? '/' : `/?${new URLSearchParams({ ...query, cursor: next })}`
}
