import { get, maybe } from '../shared/dom.ts'
import { clock } from '../shared/format.ts'
import { readVideo } from '../shared/video.ts'
import { loadPoster, type Poster } from './poster.ts'

/** More would take the line from what plays. */
const AT_ONCE = 2

/** Rows in view that wait for theirs. */
const waiting = new Set<HTMLElement>()
let running = 0

const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!(target instanceof HTMLElement)) continue
    if (isIntersecting) waiting.add(target)
    else waiting.delete(target)
  }
  pump()
})

/** Loads the poster and duration of a row as soon as it comes into view. */
export function loadPosterInView(row: HTMLElement): void {
  const { digest = '' } = row.dataset
  if (row.dataset['poster'] === digest) return
  maybe('.tile img', row)?.remove()
  get('.length', row).textContent = ''
  row.dataset['poster'] = digest
  // An element that is observed already would not be reported again.
  observer.unobserve(row)
  observer.observe(row)
}

export function unobserveRows(rows: readonly HTMLElement[]): void {
  for (const row of rows) {
    observer.unobserve(row)
    waiting.delete(row)
  }
}

function pump(): void {
  for (const row of waiting) {
    if (running >= AT_ONCE) return
    waiting.delete(row)
    observer.unobserve(row)
    running++
    void fill(row).finally(() => {
      running--
      pump()
    })
  }
}

async function fill(row: HTMLElement): Promise<void> {
  const video = readVideo(row)
  if (!/^(?:video|audio)\//.test(video.type)) return
  // Without one the row has its icon.
  const poster = await loadPoster(video).catch(() => null)
  if (poster !== null && row.dataset['digest'] === video.digest) show(row, poster)
}

function show(row: HTMLElement, { image, duration }: Poster): void {
  if (Number.isFinite(duration)) get('.length', row).textContent = clock(duration)
  if (image === null) return
  const picture = new Image()
  picture.alt = ''
  picture.src = URL.createObjectURL(image)
  picture.onload = () => URL.revokeObjectURL(picture.src)
  get('.tile', row).prepend(picture)
}
