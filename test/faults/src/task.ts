import type { Line } from './expectation.ts'
import type { Phase } from './watchers.ts'

/** What a child is to do, as JSON on its standard input. */
export interface Task {
  readonly scenario: string
  /** The store's. */
  readonly directory: string
  /** What earlier processes told in this directory. */
  readonly lines: readonly Line[]
  readonly mode: Mode
  /** The boot to be one of, where it is not the machine's own. */
  readonly boot?: string | undefined
}

export type Mode =
  | { readonly type: 'count' }
  | { readonly type: 'kill'; readonly at: number; readonly phase: Phase }
  | { readonly type: 'fail'; readonly at: number; readonly error: string }
  | { readonly type: 'cut'; readonly images: string }

/** What lies beside an image of the disk. */
export interface ImageNote {
  /** The number of the call after which the power is cut. */
  readonly at: number
  readonly call: string
  /** The step of a commit or a sweep that made it. */
  readonly step: string | null
  /** What is taken to be on the disk. */
  readonly view: string
  /** How many lines, of earlier processes too, the parent had by then. */
  readonly lines: number
}
