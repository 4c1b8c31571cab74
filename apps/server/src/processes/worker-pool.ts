import cluster, { type Worker } from 'node:cluster'
import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import { type FromWorker, sendToWorker, type Traced } from './messages.ts'
import { WorkerFailure } from './startup-error.ts'

/** A worker that served so long has not died of its start, and is replaced at once. */
const STEADY = 1000
const FIRST_DELAY = 100
const MAX_DELAY = 10_000
/** How long a worker that should have ended by itself has to do so. */
const PATIENCE = 2000
/** Node's timers take a longer one for 1 ms. */
const MAX_TIME = 2 ** 31 - 1

/** What a worker says that is not about its own life. */
export type WorkerRequest = Exclude<FromWorker, { readonly type: 'failed' | 'leave' }>

export interface PoolOptions {
  readonly count: number
  /** Of each worker, beside the primary's own. */
  readonly env: Readonly<Record<string, string>>
  readonly logger: Logger
  onMessage(worker: Worker, message: WorkerRequest): void
  /** Called when a worker is gone, before there is another in its place. */
  onEnd(worker: Worker): void
}

interface End {
  /** ms from when it accepted requests; `undefined` where it never did. */
  readonly served: number | undefined
  readonly failure: WorkerFailure | undefined
  readonly reason: Reason
}

type Reason =
  | { readonly err: unknown }
  | { readonly pid: number; readonly code: unknown; readonly signal: unknown }

/** Keeps a number of workers running: another one takes the place of each that ends. */
export class WorkerPool {
  /** Resolves when all of them accept requests. */
  readonly ready: Promise<void>
  /** Rejects when no worker serves and the latest one reports that none can; all others have been killed by then. */
  readonly failed: Promise<never>
  readonly #options: PoolOptions
  readonly #living = new Set<Worker>()
  readonly #listening = new Set<Worker>()
  readonly #ended: Promise<unknown>
  readonly #closing = new AbortController()
  #becomeReady: () => void = () => {}
  #fail: (error: Error) => void = () => {}
  /** Workers that ended before any has ever accepted requests. */
  #failedStarts: number | undefined = 0

  constructor(options: PoolOptions) {
    this.#options = options
    this.ready = new Promise((resolve) => {
      this.#becomeReady = resolve
    })
    this.failed = new Promise((_, reject) => {
      this.#fail = (error) => {
        this.#closing.abort()
        this.kill()
        reject(error)
      }
    })
    const places = Array.from({ length: options.count }, () => this.#keepOne())
    this.#ended = Promise.all(places)
  }

  /** All that run now. */
  get workers(): readonly Worker[] {
    return [...this.#living]
  }

  /** Lets all workers finish what is in flight, and ends those that have not after `timeout` ms. */
  async drain(timeout: number): Promise<void> {
    this.#closing.abort()
    for (const worker of this.#living) dismiss(worker)
    const deadline = setTimeout(() => this.kill(), Math.min(timeout + PATIENCE, MAX_TIME))
    await this.#ended
    clearTimeout(deadline)
  }

  /** Ends all workers, whatever they are doing. */
  kill(): void {
    // Not worker.kill(), which waits until the worker has closed its connections.
    for (const worker of this.#living) worker.process.kill('SIGKILL')
  }

  async #keepOne(): Promise<void> {
    const { signal } = this.#closing
    for (let failures = 0; !signal.aborted; ) {
      const { served, failure, reason } = await this.#run()
      if (signal.aborted) return
      failures = served !== undefined && served >= STEADY ? 0 : failures + 1
      const delay = failures === 0 ? 0 : Math.min(FIRST_DELAY * 2 ** (failures - 1), MAX_DELAY)
      const fatal = this.#fatal(failure, reason)
      if (fatal !== undefined) return this.#fail(fatal)
      this.#options.logger.error(
        { ...reason, failure: failure?.message, delay },
        'a worker ended; another one starts',
      )
      await wait(delay, undefined, { signal }).catch(() => {})
    }
  }

  /** Why there is no use in starting another one, if so. */
  #fatal(failure: WorkerFailure | undefined, reason: Reason): Error | undefined {
    if (this.#listening.size > 0) return undefined
    if (failure !== undefined || this.#failedStarts === undefined) return failure
    this.#failedStarts++
    if (this.#failedStarts < this.#options.count) return undefined
    const text = 'err' in reason ? reason.err : `the last one ended with ${reason.signal ?? reason.code}`
    return new WorkerFailure({ text: `No worker could start: ${text}.`, exitCode: 1 })
  }

  /** One worker's life. */
  async #run(): Promise<End> {
    let worker: Worker
    try {
      worker = cluster.fork(this.#options.env)
    } catch (error) {
      return { served: undefined, failure: undefined, reason: { err: error } }
    }
    let listened: number | undefined
    let failure: WorkerFailure | undefined
    this.#living.add(worker)
    worker.once('listening', () => {
      listened = performance.now()
      this.#listens(worker)
    })
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'failed') failure = new WorkerFailure(message)
      else if (message.type === 'leave') dismiss(worker)
      else if (message.type === 'traced') this.#sendToOthers(worker, message)
      else this.#options.onMessage(worker, message)
    })
    const reason = await waitForEnd(worker)
    this.#living.delete(worker)
    this.#listening.delete(worker)
    this.#options.onEnd(worker)
    const served = listened === undefined ? undefined : performance.now() - listened
    return { served, failure, reason }
  }

  #sendToOthers(worker: Worker, message: Traced): void {
    for (const other of this.#listening) if (other !== worker) sendToWorker(other, message)
  }

  #listens(worker: Worker): void {
    this.#failedStarts = undefined
    this.#listening.add(worker)
    if (this.#listening.size === this.#options.count) this.#becomeReady()
  }
}

/**
 * Lets a worker finish what it has. node:cluster gives it no connection after those that are under way to it; if the worker
 * itself closed its server first, one of those could return to the primary when no other worker exists, and hang.
 */
function dismiss(worker: Worker): void {
  if (worker.exitedAfterDisconnect || !worker.isConnected()) return
  worker.disconnect()
  sendToWorker(worker, { type: 'drain' })
}

/** Resolves to the reason why a worker has ended, after all of its messages have arrived. */
async function waitForEnd(worker: Worker): Promise<Reason> {
  const { pid } = worker.process
  const failed = new Promise<Error>((resolve) => {
    worker.on('error', resolve)
  })
  // A process that the system did not start has no exit, only an error; one that runs has errors that end nothing.
  if (pid === undefined) return { err: await failed }
  const [[code, signal]] = await Promise.all([
    waitForEvent(worker, 'exit'),
    waitForEvent(worker, 'disconnect'),
  ])
  return { pid, code, signal }
}

/** Not events.once, which rejects at any error before. */
function waitForEvent({ process }: Worker, event: 'exit' | 'disconnect'): Promise<readonly unknown[]> {
  return new Promise((resolve) => {
    process.once(event, (...values: unknown[]) => resolve(values))
  })
}
