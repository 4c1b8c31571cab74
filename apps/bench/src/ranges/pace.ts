import { type Contender, NGINX, PLAIN, SIRV } from './contenders.ts'
import type { CrowdPace } from './crowd.ts'
import { COLD, KINDS, type Kind, SMALL } from './kinds.ts'
import type { RoundsPace } from './rounds.ts'
import { isTargeted } from './targets.ts'

export interface Pace extends RoundsPace, CrowdPace {
  /** Rounds of what no target is about, and of who takes seconds for an answer. */
  readonly minorRounds: number
  readonly warmUpKinds: readonly Kind[]
  /** Who gets a crowd of slow readers. */
  readonly crowded: readonly Contender[]
  /** What a reader has to know about it. */
  readonly omitted: string
}

export const DEFAULT: Pace = {
  rounds: 5,
  minorRounds: 5,
  milliseconds: 1000,
  slowMilliseconds: 3000,
  coldAnswers: 4096,
  warmUpMilliseconds: 500,
  warmUpKinds: KINDS.filter((kind) => kind !== COLD),
  crowded: [PLAIN, NGINX, SIRV],
  readers: 1000,
  samples: 3,
  sampleMilliseconds: 2000,
  settleMilliseconds: 8000,
  omitted: '',
}

export const QUICK: Pace = {
  rounds: 3,
  minorRounds: 1,
  milliseconds: 300,
  slowMilliseconds: 1200,
  coldAnswers: 1024,
  warmUpMilliseconds: 400,
  warmUpKinds: [SMALL],
  crowded: [PLAIN],
  readers: 1000,
  samples: 3,
  sampleMilliseconds: 500,
  settleMilliseconds: 3000,
  omitted: `
A quick run: one round only of what no target is about, and of who takes seconds for an answer; slow readers at ours only.`,
}

/** How many rounds a contender is in at a kind. */
export function roundsOf({ rounds, minorRounds }: Pace, contender: Contender, kind: Kind): number {
  return isTargeted(contender, kind) && !contender.slowAt.includes(kind) ? rounds : minorRounds
}
