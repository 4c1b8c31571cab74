import { humanSize } from '../../src/shared/human-size.ts'
import { cancelDelete } from '../library/delete.ts'
import { refresh } from '../library/library.ts'
import { storeCaptions } from '../player/captions.ts'
import { play } from '../player/player.ts'
import { scrollToStage } from '../player/stage.ts'
import { announce, get, maybe } from '../shared/dom.ts'
import { clearProblem } from '../shared/notice.ts'
import { state } from '../shared/state.ts'
import { Job } from './job.ts'
import type { MatchedCaptions } from './match-captions.ts'
import { type Limits, precheck } from './precheck.ts'
import { storePoster } from './preview.ts'
import type { Stored } from './transfer.ts'
import { canStoreUploads, fileFingerprint } from './tus-client.ts'
import { removeUnfinished } from './unfinished.ts'

/** More would share the same line, and each be done later. */
const AT_ONCE = 2

const queue = maybe('#queue')
const jobs = new Map<string, Job>()
let remembers = false
/** Captions to store when their video is stored. */
const captionsOf = new Map<string, readonly MatchedCaptions<File>[]>()

/** Uploads files in their order, two at a time; a file that is already in the list continues there. */
export function enqueue(
  files: Iterable<File>,
  captions: ReadonlyMap<File, readonly MatchedCaptions<File>[]> = new Map(),
): void {
  clearProblem()
  void learnMemory()
  for (const file of files) {
    const own = captions.get(file)
    if (own !== undefined) captionsOf.set(fileFingerprint(file), own)
    const known = jobs.get(fileFingerprint(file))
    if (known === undefined) add(file)
    else if (known.isIdle) known.resume()
  }
  pump()
}

export const isInQueue = (fingerprint: string): boolean => jobs.has(fingerprint)

function add(file: File): void {
  const job = new Job(file, { changed: onChange, progressed: () => showOverall([...jobs.values()]) })
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
  showOverall(all)
}

/** Shows the progress of all uploads together, if there are several. */
function showOverall(all: readonly Job[]): void {
  const overall = maybe('#overall')
  if (overall === null) return
  const open = all.filter((job) => !job.isFailed)
  overall.hidden = open.length < 2
  const total = open.reduce((sum, { file }) => sum + file.size, 0)
  const sent = open.reduce((sum, job) => sum + job.sent, 0)
  get<HTMLProgressElement>('progress', overall).value = total === 0 ? 0 : sent / total
  get('.state', overall).textContent = `${open.length} uploads · ${humanSize(sent)} of ${humanSize(total)}`
}

/** Plays a stored video without leaving the page. */
export function enableWatch(): void {
  queue?.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>('a.watch') : null
    const key = link === null ? null : new URL(link.href).searchParams.get('play')
    const video = key === null ? undefined : state.known.get(key)
    // Of a page of the list that is not loaded: the link leads to it.
    if (video === undefined || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    play(video)
    scrollToStage()
  })
}

export function enableCancelAll(): void {
  maybe('#cancel-all')?.addEventListener('click', () => {
    for (const job of [...jobs.values()]) void job.cancel()
    get('#upload button').focus()
  })
}

async function run(job: Job): Promise<void> {
  const stored = await job.run()
  if (stored !== null) {
    jobs.delete(job.fingerprint)
    job.view.finish(stored.key)
  }
  pump()
  if (stored !== null) await welcome(job, stored)
}

/** Shows a stored video in the list. It does not play by itself: another may be playing. */
async function welcome({ file, fingerprint }: Job, { key }: Stored): Promise<void> {
  cancelDelete(key)
  announce(key === file.name ? `${key} uploaded` : `${file.name} uploaded as ${key}`)
  for (const { file: captions, suffix } of captionsOf.get(fingerprint) ?? [])
    await storeCaptions(`${key}${suffix}`, captions)
  captionsOf.delete(fingerprint)
  await storePoster(file, key)
  await refresh()
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
