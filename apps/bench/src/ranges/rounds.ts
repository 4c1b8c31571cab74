import { progress } from '../progress.ts'
import { formatRate } from '../table.ts'
import type { CellPace, Running } from './cell.ts'
import type { Contender } from './contenders.ts'
import type { Measurement } from './figures.ts'
import type { Kind } from './kinds.ts'
import { rest, type Site, visit } from './visit.ts'

export interface RoundsPace extends CellPace {
  readonly rounds: number
  /** For each kind, before the first round: V8 takes a second to compile all that a request runs through. */
  readonly warmUpMilliseconds: number
}

/** Whether a contender takes part at a kind in a round, the first of which is 0. */
export type TakesPart = (contender: Contender, kind: Kind, round: number) => boolean

/** Has everyone answer everything once before it counts. */
export async function warmUp(
  running: readonly Running[],
  kinds: readonly Kind[],
  takesPart: TakesPart,
  site: Site,
  pace: RoundsPace,
): Promise<void> {
  const cellPace = { ...pace, milliseconds: pace.warmUpMilliseconds }
  for (const kind of kinds) {
    progress(`warms up for ${kind.name}`)
    for (const one of running.filter(({ contender }) => takesPart(contender, kind, 0))) {
      if (!one.contender.slowAt.includes(kind)) {
        await visit(one, kind, site, cellPace)
        await rest(one)
      }
    }
  }
}

/**
 * Visits everyone once per round and kind, so that a host that slows down slows all of them; in rotated order, so that
 * none always follows the same neighbour.
 */
export async function runRounds(
  running: readonly Running[],
  kinds: readonly Kind[],
  takesPart: TakesPart,
  site: Site,
  pace: RoundsPace,
): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = []
  for (let round = 0; round < pace.rounds; round++) {
    const first = round % running.length
    const order = [...running.slice(first), ...running.slice(0, first)]
    for (const kind of kinds) {
      const visited = order.filter(({ contender }) => takesPart(contender, kind, round))
      const rates: string[] = []
      for (const one of visited) {
        const cell = await visit(one, kind, site, pace)
        await rest(one)
        measurements.push({ contender: one.contender, kind, round, cell })
        rates.push(`${one.contender.name} ${formatRate(cell.rate)}`)
      }
      if (visited.length > 0) progress(`round ${round + 1}: ${kind.name}, requests/s: ${rates.join('; ')}`)
    }
  }
  return measurements
}
