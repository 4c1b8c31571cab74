import type { CellPace } from './cell.ts'
import { type Contender, NGINX, PLAIN, SERVER, SIRV } from './contenders.ts'
import type { CrowdPace } from './crowd.ts'
import { COLD, type Kind, SMALL } from './kinds.ts'
import { hasTarget, isTargeted } from './report/targets.ts'
import type { RoundsOf } from './schedule.ts'

export interface Pace extends CellPace, CrowdPace {
  readonly rounds: number
  /** At most `rounds`. */
  readonly roundsOf: RoundsOf
  /** The time in which a server warms up before the first round, divided among the kinds that it warms up for. */
  readonly warmUpMilliseconds: (contender: Contender) => number
  /** Which warm up before the first round. */
  readonly warmsUp: (contender: Contender, kind: Kind) => boolean
  /** The servers that are measured with a crowd of slow readers. */
  readonly crowded: readonly Contender[]
  /** What a reader has to know about it. */
  readonly omitted: string
}

const ROUNDS = 5

/** V8 compiles the code of a request step by step. It had compiled most of the composed server after 10 s of requests. */
const WARM = 30_000

export const DEFAULT: Pace = {
  rounds: ROUNDS,
  roundsOf: () => ROUNDS,
  milliseconds: 1000,
  slowMilliseconds: 2000,
  coldAnswers: 4096,
  warmUpMilliseconds: () => WARM,
  warmsUp: (contender, kind) => kind !== COLD && !contender.slowAt.includes(kind),
  crowded: [SERVER, PLAIN, NGINX, SIRV],
  readers: 1000,
  samples: 3,
  sampleMilliseconds: 2000,
  settleMilliseconds: 8000,
  omitted: '',
}

const QUICK_ROUNDS = 3

export const QUICK: Pace = {
  rounds: QUICK_ROUNDS,
  roundsOf: quickRounds,
  milliseconds: 300,
  slowMilliseconds: 1200,
  coldAnswers: 1024,
  warmUpMilliseconds: (contender) => (hasTarget(contender) ? WARM : 600),
  warmsUp: (contender, kind) =>
    !contender.slowAt.includes(kind) && (kind === SMALL || isTargeted(contender, kind)),
  crowded: [SERVER],
  readers: 1000,
  samples: 3,
  sampleMilliseconds: 600,
  settleMilliseconds: 3000,
  omitted: `
A quick run: one round only of kinds without a target and of servers that take seconds for an answer, and hardly a warm-up of
servers without a target; slow readers at the server only.`,
}

function quickRounds(contender: Contender, kind: Kind): number {
  const isSlow = contender.slowAt.includes(kind)
  if (isTargeted(contender, kind)) return isSlow ? 1 : QUICK_ROUNDS
  return isSlow ? 0 : 1
}
