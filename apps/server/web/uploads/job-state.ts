import { humanSize } from '../../src/shared/human-size.ts'
import { humanTime } from '../shared/format.ts'
import type { Problem } from '../shared/problem.ts'

export type JobState =
  /** Waits for other uploads. */
  | { readonly kind: 'queued' }
  | { readonly kind: 'sending' }
  /** Waits for the network, or for the server if that gave a reason; resumes by itself. */
  | { readonly kind: 'waiting'; readonly problem: Problem | null }
  | { readonly kind: 'paused' }
  | { readonly kind: 'failed'; readonly problem: Problem; readonly again: boolean }

export interface Progress {
  /** In bytes. */
  readonly sent: number
  readonly total: number
  /** Bytes per second, 0 where that is not known. */
  readonly rate: number
}

export type Toggle = 'Pause' | 'Resume' | 'Retry'

/** The action of the button beside that of cancelling. */
export function stateToggle(state: JobState): Toggle | null {
  if (state.kind === 'paused') return 'Resume'
  if (state.kind === 'failed') return state.again ? 'Retry' : null
  return 'Pause'
}

export const progressShare = ({ sent, total }: Progress): number => (total === 0 ? 1 : sent / total)

export const percent = (share: number): string => `${Math.floor(share * 100)}%`

/** Returns the text that a person reads about an upload. */
export function describeState(state: JobState, progress: Progress): string {
  const { sent, total, rate } = progress
  const reached = percent(progressShare(progress))
  switch (state.kind) {
    case 'queued':
      return 'Waiting'
    case 'paused':
      return `${reached} · paused`
    case 'waiting':
      return `${reached} · ${state.problem?.title ?? 'waiting for the network'}`
    case 'failed':
      return ''
    case 'sending':
      if (sent === total) return 'Saving'
      return rate === 0
        ? reached
        : `${reached} · ${humanSize(rate)}/s · ${humanTime((total - sent) / rate)} left`
  }
}
