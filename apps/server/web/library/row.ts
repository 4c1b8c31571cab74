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
  if (row.dataset['key'] === state.playing?.key) link.setAttribute('aria-current', 'true')
  else link.removeAttribute('aria-current')
}

export function fillRow(row: HTMLElement, video: PageVideo): HTMLElement {
  const { key, size, type, digest, created, url } = video
  state.known.set(key, video)
  Object.assign(row.dataset, { key, size, type, digest, created, url })
  const [name, time] = [get('.name', row), get<HTMLTimeElement>('time', row)]
  name.textContent = name.title = key
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
