import { setTimeout as sleep } from 'node:timers/promises'
import { explain, isNamed, isUnavailable, retryAfter } from './errors.ts'

/** The pause before the second attempt, in ms. Each further pause is three times as long, up to `MAX_PAUSE`. */
const FIRST_PAUSE = 100
const MAX_PAUSE = 2000

/** The longest time that one attempt waits for its response, in ms. */
const MAX_TRY = 10_000

export interface Attempt {
  /** Aborted when this attempt has taken too long. */
  readonly signal: AbortSignal
  /** 1 for the first attempt. */
  readonly number: number
}

export interface RetryOptions {
  /** The bucket's name, for error texts. */
  readonly bucket: string
  /** The end of the time budget, on the clock of `performance.now()`. */
  readonly deadline: number
  /**
   * The end of the time budget if S3 has the request and is slow to respond. Without it, one attempt takes at most half
   * of the remaining time, so that another one can follow.
   */
  readonly slowDeadline?: number | undefined
  /** Once aborted, no further attempt starts; the current one continues to its end. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Calls `task` until it succeeds, S3 rejects the request, or the time budget is used up. No other code retries: the SDK
 * sends each request once.
 *
 * @throws StoreError UNAVAILABLE, NO_SPACE; an Error that names the remedy
 */
export async function retry<T>(
  task: (attempt: Attempt) => Promise<T>,
  { bucket, deadline, slowDeadline, signal }: RetryOptions,
): Promise<T> {
  let reported: unknown
  let pause = FIRST_PAUSE
  for (let number = 1; ; number++, pause = Math.min(pause * 3, MAX_PAUSE)) {
    const now = performance.now()
    const limit = slowDeadline === undefined ? Math.min((deadline - now) / 2, MAX_TRY) : slowDeadline - now
    const outcome = await attempt(task, number, limit)
    if ('value' in outcome) return outcome.value
    const { error } = outcome
    const fault = explain(error, bucket)
    if (!isUnavailable(fault)) throw fault
    const isLate = isNamed(error, 'TimeoutError')
    // Reports the last error other than a timeout, because it says more.
    if (!isLate || reported === undefined) reported = fault
    const end = isLate ? (slowDeadline ?? deadline) : deadline
    // Jitter spreads the requests that one outage has cut off.
    const wait = Math.max(pause * (0.5 + Math.random() / 2), retryAfter(error))
    if (performance.now() + wait >= end) throw reported
    await pauseFor(wait, signal)
  }
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown }

/** Makes one attempt. Does not wait for a task that ignores its signal when the time is over. */
async function attempt<T>(
  task: (attempt: Attempt) => Promise<T>,
  number: number,
  limit: number,
): Promise<Outcome<T>> {
  const controller = new AbortController()
  const { signal } = controller
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = timeoutError(limit)
      reject(error)
      controller.abort(error)
    }, limit)
  })
  try {
    return { value: await Promise.race([task({ signal, number }), late]) }
  } catch (error) {
    return { error: signal.aborted ? signal.reason : error }
  } finally {
    clearTimeout(timer)
  }
}

function timeoutError(ms: number): Error {
  return Object.assign(new Error(`S3 has not answered within ${Math.round(ms)} ms.`), {
    name: 'TimeoutError',
  })
}

async function pauseFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : error
  }
}
