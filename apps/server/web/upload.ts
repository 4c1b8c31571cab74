import { announce, get, maybe } from './dom.ts'
import { humanSize } from './format.ts'
import { Job } from './job.ts'
import { refresh } from './library.ts'
import { isIdle, play } from './player.ts'
import { clearProblem, LOST, type Problem, problemOf } from './problem.ts'
import { type Item, state, videoOfItem } from './video.ts'

type Outcome =
  | { readonly kind: 'stored'; readonly item: Omit<Item, 'created'> }
  | { readonly kind: 'refused'; readonly problem: Problem }
  | { readonly kind: 'cancelled' }

const queue = maybe('#queue')
let line: Promise<void> = Promise.resolve()

/** Uploads one after the other. */
export function enqueue(files: Iterable<File>): void {
  const limit = Number(get('#upload').dataset['maxFileSize'])
  clearProblem()
  for (const file of files) {
    const job = new Job(file)
    queue?.append(job.element)
    if (file.size <= limit) line = line.then(() => run(job))
    else job.fail(tooLarge(file.size, limit))
  }
}

const tooLarge = (size: number, limit: number): Problem => ({
  title: 'Too large',
  detail: `The file is ${humanSize(size)}; the limit is ${humanSize(limit)}.`,
})

async function run(job: Job): Promise<void> {
  if (job.signal.aborted) return
  addEventListener('beforeunload', warn)
  const outcome = await send(job)
  removeEventListener('beforeunload', warn)
  if (outcome.kind === 'cancelled') announce(`${job.file.name} cancelled`)
  if (outcome.kind === 'refused') job.fail(outcome.problem)
  if (outcome.kind !== 'stored') return
  const { item } = outcome
  job.close()
  announce(`${item.key} uploaded`)
  await refresh()
  // In the order of keys it may come on a page that is not loaded.
  if (isIdle()) play(state.known.get(item.key) ?? videoOfItem({ ...item, created: new Date().toISOString() }))
}

function warn(event: BeforeUnloadEvent): void {
  event.preventDefault()
}

/** XMLHttpRequest, because fetch tells nothing about how much has been sent. */
function send(job: Job): Promise<Outcome> {
  return new Promise((resolve) => {
    const xhr = new XMLHttpRequest()
    const body = new FormData()
    body.append('file', job.file)
    xhr.upload.addEventListener('progress', ({ loaded, total }) => job.progress(loaded, total))
    xhr.addEventListener('load', () => {
      if (xhr.status === 201) resolve({ kind: 'stored', item: xhr.response })
      else resolve({ kind: 'refused', problem: problemOf(xhr.status, xhr.response) })
    })
    xhr.addEventListener('error', () => resolve({ kind: 'refused', problem: LOST }))
    xhr.addEventListener('abort', () => resolve({ kind: 'cancelled' }))
    job.signal.addEventListener('abort', () => xhr.abort())
    xhr.open('POST', '/video')
    xhr.responseType = 'json'
    xhr.setRequestHeader('Accept', 'application/json')
    xhr.send(body)
  })
}
