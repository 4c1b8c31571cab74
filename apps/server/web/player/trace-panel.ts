import { humanSize } from '../../src/shared/human-size.ts'
import type { TracedRequest } from '../../src/shared/traced-request.ts'
import { get } from '../shared/dom.ts'
import { state } from '../shared/state.ts'
import { readItem, writeItem } from '../shared/storage.ts'
import { reloadMedia } from './media.ts'

const EVERY = 1000
const STORAGE = 'view'
const TIME = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })

/** What a status means to a player. */
const MEANINGS: Readonly<Record<number, string>> = {
  200: 'the whole file',
  304: 'not changed: the browser has it',
  307: 'redirected to another server',
  404: 'not found',
  412: 'changed in the meantime',
  416: 'past the end of the file',
}

/**
 * Requests the media with an id of this page while the panel is open. The id stays the same until the tab is closed, because
 * the browser's cache does not know the media under another URL.
 */
export function enableTraces(): void {
  const details = get<HTMLDetailsElement>('#requests')
  if (readItem('sessionStorage', STORAGE) !== null) details.open = true
  details.addEventListener('toggle', () => {
    if (details.open === (state.view !== null)) return
    state.view = details.open ? (readItem('sessionStorage', STORAGE) ?? randomId()) : null
    writeItem('sessionStorage', STORAGE, state.view)
    reloadMedia()
    void ask()
  })
  setInterval(() => void ask(), EVERY)
}

/** 128 random bits in base64url. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .slice(0, 22)
}

async function ask(): Promise<void> {
  const { view } = state
  if (view === null || document.hidden) return
  const response = await fetch(`/requests?view=${view}`).catch(() => null)
  const body: { requests: TracedRequest[] } | null = response?.ok
    ? await response.json().catch(() => null)
    : null
  if (body === null || state.view !== view) return
  get('#requests tbody').replaceChildren(...body.requests.reverse().map(createRow))
}

function createRow(request: TracedRequest): HTMLTableRowElement {
  const row = document.createElement('tr')
  row.dataset['status'] = String(request.status)
  const cells = [
    TIME.format(new Date(request.time)),
    request.range ?? (request.method === 'GET' ? 'the whole file' : request.method),
    `${request.status} ${request.contentRange ?? ''}`,
    formatSent(request),
  ].map((text) => {
    const cell = document.createElement('td')
    cell.textContent = text
    return cell
  })
  const meaning = document.createElement('span')
  meaning.textContent = MEANINGS[request.status] ?? ''
  cells[2]?.append(meaning)
  row.append(...cells)
  return row
}

function formatSent({ state: progress, sent }: TracedRequest): string {
  if (progress === 'sending') return 'under way'
  const amount = sent === null ? [] : [humanSize(sent)]
  return [...amount, ...(progress === 'stopped' ? ['stopped'] : [])].join(', ')
}
