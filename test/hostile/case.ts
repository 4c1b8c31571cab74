import type { Answer } from './answer.ts'
import type { Target } from './target.ts'

/** What a client does next: text goes out as Latin-1. */
export type Step =
  | string
  | Buffer
  /** ms, also for the server to take in what was sent. */
  | { readonly pause: number }
  /** The client goes: in order, with its own side only, or with a reset. */
  | { readonly leave: 'close' | 'half' | 'reset' }
  | 'stop reading'

export interface Exchange {
  readonly target: Target
  /** Final ones, in order. */
  readonly answers: readonly Answer[]
  /** The only one, or the first. */
  readonly answer: Answer
}

export interface HostileCase {
  readonly name: string
  /** Made when the case runs, where it is large. */
  readonly steps: readonly Step[] | (() => readonly Step[])
  /**
   * Every status that may come on the connection, in order, as `201`, `100 201` or `201 400`; `none` is a connection
   * that ends without an answer.
   */
  readonly expect: readonly string[]
  /** The answer has no content whatever its Content-Length says. */
  readonly head?: true
  /** What else has to hold when the answer is a 2xx. */
  readonly check?: (exchange: Exchange) => Promise<void> | void
  /** What has to hold whatever the answer is. */
  readonly after?: (exchange: Exchange) => Promise<void> | void
}

export interface Group {
  readonly name: string
  /** Of the server, beside those that all have. */
  readonly flags: readonly string[]
  /** Whether its cases are about uploads alone, to which it makes no difference how files are sent. */
  readonly isOfUploads?: true
  readonly cases: readonly HostileCase[]
}

/** A case of one message, whose answer's status is all that counts. */
export function sent(
  name: string,
  bytes: Buffer | string,
  expect: readonly string[],
  head?: true,
): HostileCase {
  return { name, steps: [bytes], expect, ...(head === undefined ? {} : { head }) }
}
