import { machineLoad } from '../machine-load.ts'
import { progress } from '../progress.ts'
import { formatRate } from '../table.ts'
import type { CellPace, Running } from './cell.ts'
import type { Contender } from './contenders.ts'
import type { Measurement } from './report/figures.ts'
import type { Group } from './schedule.ts'
import { rest, type Site, visit } from './visit.ts'

export interface Rounds {
  readonly measurements: readonly Measurement[]
  /** How busy the processors were before each round, when the bench itself did nothing; from 0 to 1. */
  readonly loads: readonly number[]
}

const LOAD_MILLISECONDS = 300

/** Measures one after another. */
export async function runRounds(
  running: readonly Running[],
  groups: readonly Group[],
  site: Site,
  pace: CellPace,
): Promise<Rounds> {
  const measurements: Measurement[] = []
  const loads: number[] = []
  for (const { round, kind, contenders } of groups) {
    if (round === loads.length) loads.push(await machineLoad(LOAD_MILLISECONDS))
    const rates: string[] = []
    for (const contender of contenders) {
      const one = find(running, contender)
      const cell = await visit(one, kind, site, pace)
      await rest(one)
      measurements.push({ contender, kind, round, cell })
      rates.push(`${contender.name} ${formatRate(cell.rate)}`)
    }
    progress(`round ${round + 1}: ${kind.name}, requests/s: ${rates.join('; ')}`)
  }
  return { measurements, loads }
}

function find(running: readonly Running[], contender: Contender): Running {
  const one = running.find((each) => each.contender === contender)
  if (one === undefined) throw new Error(`${contender.name} was not started.`)
  return one
}
