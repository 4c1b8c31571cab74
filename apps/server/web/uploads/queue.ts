import { cancelDelete } from '../library/delete.ts'
import { refresh } from '../library/library.ts'
import { isIdle } from '../player/media.ts'
import { play } from '../player/player.ts'
import { announce, get, maybe } from '../shared/dom.ts'
import { clearProblem } from '../shared/notice.ts'
import { state } from '../shared/state.ts'
import { toVideo } from '../shared/video.ts'
import { Job } from './job.ts'
import { type Limits, precheck } from './precheck.ts'
import type { Stored } from './transfer.ts'
import { canStoreUploads, fileFingerprint } from './tus-client.ts'
import { removeUnfinished } from './unfinished.ts'

/** More would share the same line, and each be done later. */
const AT_ONCE = 2

const queue = maybe('#queue')
const jobs = new Map<string, Job>()
let remembers = false

/** Uploads files in their order, two at a time; a file that is already in the list continues there. */
export function enqueue(files: Iterable<File>): void {
  clearProblem()
  void learnMemory()
  for (const file of files) {
    const known = jobs.get(fileFingerprint(file))
    if (known === undefined) add(file)
    else if (known.isIdle) known.resume()
  }
  pump()
}

export const isInQueue = (fingerprint: string): boolean => jobs.has(fingerprint)

function add(file: File): void {
  const job = new Job(file, onChange)
  const refusal = precheck(file, limits())
  const unfinished = removeUnfinished(job.fingerprint)
  if (unfinished === null) queue?.append(job.view.element)
  else {
    const focused = unfinished.contains(document.activeElement)
    unfinished.replaceWith(job.view.element)
    if (focused) job.view.focus()
  }
  if (refusal === null) jobs.set(job.fingerprint, job)
  else job.fail(refusal)
}

function limits(): Limits {
  const form = get('#upload')
  const { accept } = get<HTMLInputElement>('input', form)
  return { maxFileSize: Number(form.dataset['maxFileSize']), accept }
}

function onChange(job: Job): void {
  if (job.isCancelled) jobs.delete(job.fingerprint)
  pump()
}

function pump(): void {
  const all = [...jobs.values()]
  const free = AT_ONCE - all.filter((job) => job.isRunning).length
  for (const job of all.filter((each) => each.isQueued).slice(0, Math.max(0, free))) void run(job)
  // Only while there is something to ask about: with a listener some browsers do not keep the page for going back.
  if (jobs.size > 0) addEventListener('beforeunload', warn)
  else removeEventListener('beforeunload', warn)
}

async function run(job: Job): Promise<void> {
  const stored = await job.run()
  if (stored !== null) {
    jobs.delete(job.fingerprint)
    job.view.remove()
  }
  pump()
  if (stored !== null) await welcome(stored)
}

async function welcome({ key, item }: Stored): Promise<void> {
  cancelDelete(key)
  announce(`${key} uploaded`)
  await refresh()
  // In the order of keys it may come on a page that is not loaded.
  const video = state.known.get(key) ?? (item && toVideo({ ...item, created: new Date().toISOString() }))
  if (video !== null && isIdle()) play(video)
}

/**
 * Asks only about files that no storage remembers: what the server has begun to take is offered again by the next visit, and
 * a question that is not needed teaches people to click it away.
 */
function warn(event: BeforeUnloadEvent): void {
  const all = [...jobs.values()]
  if (all.some((job) => job.isUnknown || (job.isRunning && !remembers))) event.preventDefault()
}

/** Finds out whether uploads survive the page. No caller waits for it. */
async function learnMemory(): Promise<void> {
  remembers = await canStoreUploads().catch(() => false)
}
