import { announce } from '../shared/dom.ts'
import type { Problem } from '../shared/problem.ts'
import type { JobState, Progress } from './job-state.ts'
import { JobView } from './job-view.ts'
import { readDuration } from './preview.ts'
import { Rate } from './rate.ts'
import { ELSEWHERE, withTabLock } from './tab-lock.ts'
import { type Listener, type Stored, transfer } from './transfer.ts'
import { deleteUpload, fileFingerprint, openUpload, removeRecord, type Upload } from './tus-client.ts'

interface JobListener {
  /** Called when the job wants to run, or leaves the queue. */
  changed(job: Job): void
  /** Called when more of it has been sent. */
  progressed(): void
}

/** One file on its way, with its row. */
export class Job implements Listener {
  readonly file: File
  readonly fingerprint: string
  readonly view: JobView
  readonly #on: JobListener
  readonly #rate = new Rate()
  #state: JobState = { kind: 'queued' }
  #isCancelled = false
  #sent = 0
  #upload: Upload | null = null
  #stop = new AbortController()
  #run: Promise<Stored | null> | null = null

  constructor(file: File, on: JobListener) {
    this.file = file
    this.fingerprint = fileFingerprint(file)
    this.#on = on
    const toggle = (): void => (this.isIdle ? this.resume() : this.pause())
    this.view = new JobView(file.name, { toggle, cancel: () => void this.cancel() })
    this.view.show(this.#state, this.#progress)
  }

  get isQueued(): boolean {
    return this.#state.kind === 'queued' && this.#run === null && !this.#isCancelled
  }

  get isCancelled(): boolean {
    return this.#isCancelled
  }

  get isFailed(): boolean {
    return this.#state.kind === 'failed'
  }

  /** Bytes that the server has, or that are on their way. */
  get sent(): number {
    return this.#sent
  }

  get isRunning(): boolean {
    return this.#run !== null
  }

  /** Waits for a person. */
  get isIdle(): boolean {
    return this.#state.kind === 'paused' || this.#state.kind === 'failed'
  }

  /** Whether the server, and so this browser's memory, know nothing of it yet. */
  get isUnknown(): boolean {
    return this.#state.kind !== 'failed' && this.#upload?.url == null
  }

  /** Uploads until it is stored, or `null` when it stops before. */
  run(): Promise<Stored | null> {
    this.#stop = new AbortController()
    this.#run = this.#transfer(this.#stop.signal).finally(() => {
      this.#run = null
    })
    return this.#run
  }

  pause(): void {
    this.#set({ kind: 'paused' })
    this.#stop.abort()
    this.#on.changed(this)
  }

  resume(): void {
    this.#set({ kind: 'queued' })
    this.#on.changed(this)
  }

  fail(problem: Problem): void {
    this.#set({ kind: 'failed', problem, again: false })
  }

  /** Ends it here and on the server; what that does not hear of, the browser remembers as unfinished. */
  async cancel(): Promise<void> {
    this.#isCancelled = true
    this.#stop.abort()
    this.view.remove()
    announce(`${this.file.name} cancelled`)
    await this.#run
    this.#on.changed(this)
    const url = this.#upload?.url ?? null
    if (url !== null && (await deleteUpload(url))) await removeRecord(url)
  }

  onProgress(sent: number): void {
    this.#sent = sent
    this.#rate.add(sent, performance.now() / 1000)
    this.#on.progressed()
    if (this.#state.kind === 'sending') this.view.progress(this.#state, this.#progress)
    else if (this.#state.kind === 'waiting') this.#set({ kind: 'sending' })
  }

  onWaiting(problem: Problem | null): void {
    const state = this.#state
    // Another failure for the same reason is no news.
    const isKnown = state.kind === 'waiting' && state.problem?.title === problem?.title
    if (!isKnown) this.#set({ kind: 'waiting', problem })
  }

  get #progress(): Progress {
    return { sent: this.#sent, total: this.file.size, rate: this.#rate.perSecond }
  }

  async #transfer(signal: AbortSignal): Promise<Stored | null> {
    this.#set({ kind: 'sending' })
    const open = async (): Promise<Upload> =>
      (this.#upload ??= await openUpload(this.file, await readDuration(this.file)))
    const outcome = await withTabLock(this.fingerprint, () => transfer(this.file, open, signal, this))
    if (outcome === null && !signal.aborted) this.#set({ kind: 'failed', problem: ELSEWHERE, again: true })
    else if (outcome?.kind === 'failed') this.#set(outcome)
    return outcome?.kind === 'stored' ? outcome.stored : null
  }

  #set(state: JobState): void {
    this.#state = state
    this.#rate.pause()
    this.view.show(state, this.#progress)
  }
}
