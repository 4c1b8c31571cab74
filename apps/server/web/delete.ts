import { announce, get } from './dom.ts'
import { refresh } from './library.ts'
import { clearProblem, request } from './notice.ts'
import { show } from './player.ts'
import { list } from './row.ts'
import { state, videoOf, videoPath } from './video.ts'

/** Listens on the list, because rows come and go. */
export function enableDelete(): void {
  list.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest('button') : null
    const row = button?.closest<HTMLElement>('.row')
    if (row != null) confirmDelete(row)
  })
}

function confirmDelete(row: HTMLElement): void {
  const dialog = get<HTMLDialogElement>('#confirm')
  get('.name', dialog).textContent = row.dataset['key'] ?? ''
  // Escape leaves the value of the last time.
  dialog.returnValue = ''
  dialog.onclose = () => {
    if (dialog.returnValue === 'delete') remove(row)
  }
  dialog.showModal()
}

async function remove(row: HTMLElement): Promise<void> {
  const { key } = videoOf(row)
  const neighbour = row.nextElementSibling ?? row.previousElementSibling
  clearProblem()
  if ((await request(videoPath(key), { method: 'DELETE' })) === null) return
  state.known.delete(key)
  if (state.playing?.key === key) {
    history.replaceState(null, '', '/')
    show(null)
  }
  row.remove()
  get((neighbour && '.open') ?? '#library-title', neighbour ?? document).focus()
  announce(`${key} deleted`)
  await refresh()
}
