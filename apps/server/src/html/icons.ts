import { type Html, html } from './html.ts'

type Icon =
  | 'audio'
  | 'captions'
  | 'close'
  | 'delete'
  | 'download'
  | 'file'
  | 'keys'
  | 'grid'
  | 'link'
  | 'list'
  | 'pause'
  | 'retry'
  | 'search'
  | 'upload'
  | 'video'

const ICONS: Readonly<Record<Icon, string>> = {
  audio:
    'M9 17.5V6l10-2v11.5M9 17.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Zm10-2a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Z',
  captions: 'M3.5 5.5h17v13h-17zM10.5 10.5a2 2 0 1 0 0 3M17 10.5a2 2 0 1 0 0 3',
  close: 'M6 6l12 12M18 6 6 18',
  delete: 'M4 7h16M9 7V4h6v3M6.5 7l.8 13h9.4l.8-13M10 11v5M14 11v5',
  download: 'M12 4v11M7.5 10.5 12 15l4.5-4.5M5 20h14',
  file: 'M6 3h8l4 4v14H6V3Zm8 0v4h4',
  keys: 'M3 7h18v10H3zM6.5 10.5h.01M10 10.5h.01M13.5 10.5h.01M17 10.5h.01M8 14h8',
  grid: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
  link: 'M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1.2 1.2M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1.2-1.2',
  list: 'M4 6h16M4 12h16M4 18h16',
  pause: 'M8.75 6v12M15.25 6v12',
  retry: 'M19 12a7 7 0 1 1-2.2-5.1L19 9M19 4v5h-5',
  search: 'M10.5 16.5a6 6 0 1 0 0-12 6 6 0 0 0 0 12ZM15 15l5 5',
  upload: 'M12 16V5M7.5 9.5 12 5l4.5 4.5M5 20h14',
  video: 'M8 5.5v13l10.5-6.5L8 5.5Z',
}

/** Once in the page, for `icon` to refer to; without it nothing is drawn. */
export function sprite(): Html {
  const symbols = Object.entries(ICONS).map(
    ([name, path]) => html`<symbol id="icon-${name}" viewBox="0 0 24 24"><path d="${path}"/></symbol>`,
  )
  return html`<svg class="sprite" aria-hidden="true">${symbols}</svg>`
}

export function icon(name: Icon): Html {
  return html`<svg class="icon" aria-hidden="true"><use href="#icon-${name}"/></svg>`
}
