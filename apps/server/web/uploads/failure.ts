import { type Problem, readProblem } from '../shared/problem.ts'

/** The response to a request that failed. */
export interface Answer {
  readonly method: string
  readonly status: number
  readonly body: string
  /** In seconds, as the field has it. */
  readonly retryAfter: string | null
}

export type Failure =
  /** @property again whether a person may try again */
  | { readonly kind: 'final'; readonly problem: Problem; readonly again: boolean }
  /** @property problem `null` where the network is to blame; @property after ms that the server asks to be left alone */
  | { readonly kind: 'passing'; readonly problem: Problem | null; readonly after: number }

/** Refusals of what was sent so far, not of the upload: too slow, another request holds it, too many. */
const PASSING = new Set([408, 409, 423, 425, 429])
/** The server has no such upload any more; the next attempt creates it again. */
const FORGOTTEN = new Set([404, 410])
/** Of the file itself: as it is, it will be refused again. */
const HOPELESS = new Set([413, 415])

const FIRST_DELAY = 1000
const LONGEST_DELAY = 30_000

/** @param answer `null` if no response arrived */
export function classifyFailure(answer: Answer | null): Failure {
  if (answer === null) return { kind: 'passing', problem: null, after: 0 }
  const { method, status, body, retryAfter } = answer
  const problem = readProblem(status, parse(body))
  const forgotten = method === 'PATCH' && FORGOTTEN.has(status)
  if (status >= 500 || PASSING.has(status) || forgotten)
    return { kind: 'passing', problem, after: 1000 * (Number(retryAfter) || 0) }
  return { kind: 'final', problem, again: !HOPELESS.has(status) }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}

/**
 * How long to wait after so many failures in a row, in ms: twice as long each time, and never all pages at once.
 *
 * @param chance from 0 to 1
 */
export function backoff(failures: number, chance: number): number {
  return Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (failures - 1)) * (0.5 + chance / 2)
}
