import { findMatch } from '../../src/shared/find-match.ts'
import { humanSize } from '../../src/shared/human-size.ts'
import { downloadPath, type PageVideo, playPath, videoKind } from '../../src/shared/video.ts'
import { get, maybe, setIcon } from '../shared/dom.ts'
import { state } from '../shared/state.ts'
import { loadPosterInView } from './posters.ts'

export const list: HTMLElement = get('#rows')
const DATE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' })

export const rows = (): HTMLElement[] => [...list.querySelectorAll<HTMLElement>('.row')]

/** Marks the row of the video that plays. */
export function markCurrent(row: HTMLElement): void {
  const link = get('.open', row)
  const isCurrent = row.dataset['key'] === state.playing?.key
  if (isCurrent) link.setAttribute('aria-current', 'true')
  else link.removeAttribute('aria-current')
}

/** @param contains the searched text, which is marked in the name */
export function fillRow(row: HTMLElement, video: PageVideo, contains: string): HTMLElement {
  const { key, size, type, digest, created, url } = video
  state.known.set(key, video)
  Object.assign(row.dataset, { key, size, type, digest, created, url })
  const [name, time] = [get('.name', row), get<HTMLTimeElement>('time', row)]
  name.title = key
  name.replaceChildren(...marked(key, contains))
  get('.size', row).textContent = humanSize(size)
  time.dateTime = created
  // The server knows no time zone but UTC.
  time.textContent = DATE.format(new Date(created))
  time.title = new Date(created).toLocaleString()
  setIcon(row, videoKind(type))
  const [open, download] = [get<HTMLAnchorElement>('.open', row), get<HTMLAnchorElement>('a.tool', row)]
  open.href = playPath(key)
  download.href = downloadPath(key)
  download.ariaLabel = `Download ${key}`
  maybe('button', row)?.setAttribute('aria-label', `Delete ${key}`)
  row.hidden = state.deleted.has(key)
  markCurrent(row)
  loadPosterInView(row)
  return row
}

function marked(key: string, contains: string): (string | HTMLElement)[] {
  const match = findMatch(key, contains)
  if (match === null) return [key]
  const mark = document.createElement('mark')
  mark.textContent = key.slice(match.start, match.end)
  return [key.slice(0, match.start), mark, key.slice(match.end)]
}
