import { type PageVideo, videoPath } from '../../src/shared/video.ts'
import { show } from '../player/player.ts'
import { announce, fromTemplate, get } from '../shared/dom.ts'
import { clearProblem, request } from '../shared/notice.ts'
import { state } from '../shared/state.ts'
import { readVideo } from '../shared/video.ts'
import { refresh } from './library.ts'
import { list, rows } from './row.ts'

/** How long a person can undo a deletion, in ms. */
const GRACE = 6000

interface DeleteRequest {
  readonly method: 'DELETE'
  readonly keepalive: true
  readonly headers: Record<string, string>
}

interface Deletion {
  readonly video: PageVideo
  readonly toast: HTMLElement
  timer: number
}

/** Deletions that have not been sent to the server, the latest last. */
const pending = new Map<string, Deletion>()

/** Listens on the list, because rows come and go. */
export function enableDelete(): void {
  list.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest('button') : null
    const row = button?.closest<HTMLElement>('.row')
    if (row != null) begin(row)
  })
  // A person who leaves the page after a deletion expects it to happen, and would not notice that the video is back.
  addEventListener('pagehide', () => {
    for (const deletion of [...pending.values()]) {
      end(deletion)
      send(deletion.video)
      forget(deletion.video)
    }
  })
}

/** Cancels the deletion of a video that is uploaded again. */
export function cancelDelete(key: string): void {
  const deletion = pending.get(key)
  if (deletion === undefined) return
  end(deletion)
  unhide(deletion.video)
}

/** Undoes the latest deletion; returns the text to show. */
export function undoDelete(): string | null {
  const latest = [...pending.values()].at(-1)
  if (latest === undefined) return null
  undo(latest)
  return `${latest.video.key} is back`
}

function begin(row: HTMLElement): void {
  const video = readVideo(row)
  const { key } = video
  clearProblem()
  const neighbour = seen(row, 'nextElementSibling') ?? seen(row, 'previousElementSibling')
  state.deleted.add(key)
  row.hidden = true
  if (state.playing?.key === key) {
    history.replaceState(null, '', '/')
    show(null)
  }
  get((neighbour && '.open') ?? '#library-title', neighbour ?? document).focus()
  const toast = fromTemplate('#toast')
  const deletion: Deletion = { video, toast, timer: 0 }
  pending.set(key, deletion)
  get('.name', toast).textContent = key
  const button = get('button', toast)
  button.ariaLabel = `Undo: keep ${key}`
  button.addEventListener('click', () => undo(deletion))
  get('#toasts').append(toast)
  waitFor(deletion)
  announce(`${key} deleted. Z undoes it.`)
}

/** Waits for the grace period, which halts while the pointer or the focus is on the toast. */
function waitFor(deletion: Deletion): void {
  const { toast } = deletion
  const run = (): void => {
    clearTimeout(deletion.timer)
    // It may be gone from under the pointer.
    if (!toast.isConnected || toast.matches(':hover, :focus-within')) return
    toast.dataset['running'] = ''
    deletion.timer = setTimeout(() => void finish(deletion), GRACE)
  }
  const halt = (): void => {
    clearTimeout(deletion.timer)
    delete toast.dataset['running']
  }
  for (const event of ['pointerenter', 'focusin']) toast.addEventListener(event, halt)
  for (const event of ['pointerleave', 'focusout']) toast.addEventListener(event, () => setTimeout(run))
  run()
}

function undo(deletion: Deletion): void {
  end(deletion)
  const row = unhide(deletion.video)
  if (row === undefined) void refresh()
  else get('.open', row).focus()
  announce(`${deletion.video.key} is back`)
}

async function finish(deletion: Deletion): Promise<void> {
  const { video } = deletion
  end(deletion)
  const isDeleted = (await request(videoPath(video.key), deleteRequest(video))) !== null
  if (isDeleted) forget(video)
  else unhide(video)
  await refresh(true)
}

function forget({ key }: PageVideo): void {
  state.known.delete(key)
  state.deleted.delete(key)
  findRow(key)?.remove()
}

function unhide({ key }: PageVideo): HTMLElement | undefined {
  state.deleted.delete(key)
  const row = findRow(key)
  if (row !== undefined) row.hidden = false
  return row
}

const findRow = (key: string): HTMLElement | undefined => rows().find((row) => row.dataset['key'] === key)

function end({ video, toast, timer }: Deletion): void {
  clearTimeout(timer)
  pending.delete(video.key)
  const focused = toast.contains(document.activeElement)
  toast.remove()
  if (focused) get('#library-title').focus()
}

/** Deletes while the page is being left; the response is not read. */
function send(video: PageVideo): void {
  fetch(videoPath(video.key), deleteRequest(video)).catch(() => {})
}

/** Deletes only the content that the person saw: the key may hold another file by now. */
function deleteRequest({ digest }: PageVideo): DeleteRequest {
  return { method: 'DELETE', keepalive: true, headers: { 'If-Match': `"${digest}"` } }
}

function seen(row: Element, next: 'nextElementSibling' | 'previousElementSibling'): HTMLElement | null {
  let other = row[next]
  while (other instanceof HTMLElement && other.hidden) other = other[next]
  return other instanceof HTMLElement ? other : null
}
