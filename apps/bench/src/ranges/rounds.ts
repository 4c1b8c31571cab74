import { startServer } from '../child.ts'
import { findProgram, SERVER_PROCESSOR } from '../programs.ts'
import { formatRate } from '../table.ts'
import { type CellPace, type Ground, measureCell, type Running } from './cell.ts'
import { CONTENDERS, type Contender, NGINX } from './contenders.ts'
import type { Measurement } from './figures.ts'
import type { Kind } from './kinds.ts'
import type { ReadBytes } from './media.ts'
import { verify, wantedOf } from './verify.ts'

export interface RoundsPace extends CellPace {
  readonly rounds: number
  /** For each kind, before the first round: V8 takes a second to compile all that a request runs through. */
  readonly warmUpMilliseconds: number
}

/** Why a contender is not measured at a kind. */
export interface Refusal {
  readonly contender: Contender
  readonly kind: Kind
  readonly reason: string
}

/** Whether a contender takes part at a kind. */
export type IsIn = (contender: Contender, kind: Kind) => boolean

export interface Site {
  readonly ground: Ground
  readonly read: ReadBytes
}

/** Starts everyone there is to compare; those that are not installed are left out. */
export async function startAll(ground: Ground): Promise<readonly Running[]> {
  const present = CONTENDERS.filter((contender) => contender !== NGINX || findProgram('nginx') !== null)
  if (!present.includes(NGINX)) {
    console.error('nginx is missing and left out: on Debian, "apt-get install nginx-light" brings it')
  }
  return await Promise.all(present.map((contender) => start(contender, ground)))
}

async function start(contender: Contender, ground: Ground): Promise<Running> {
  const mode = contender === NGINX ? (findProgram('nginx') ?? '') : ''
  const root = ground[contender.source]
  const server = await startServer(contender.server, root, { mode, processor: SERVER_PROCESSOR })
  return { contender, server }
}

/**
 * Finds out who answers what.
 *
 * @throws Error when one of our own gives a wrong answer
 */
export async function probe(running: readonly Running[], { read }: Site): Promise<readonly Refusal[]> {
  const refusals: Refusal[] = []
  for (const one of running) {
    const { contender } = one
    for (const kind of contender.kinds) {
      const url = urlOf(one, kind)
      const reason = await verify(contender, kind, url, await wantedOf(kind, url), read)
      if (reason === null) continue
      if (contender.ours) throw new Error(`${contender.name} answers ${kind.name} wrongly: ${reason}`)
      refusals.push({ contender, kind, reason })
      console.error(`${contender.name} does not take part at ${kind.name}: it answered ${reason}`)
    }
  }
  return refusals
}

/** Has everyone answer everything once before it counts. */
export async function warmUp(
  running: readonly Running[],
  kinds: readonly Kind[],
  isIn: IsIn,
  site: Site,
  pace: RoundsPace,
): Promise<void> {
  const cellPace = { ...pace, milliseconds: pace.warmUpMilliseconds }
  for (const kind of kinds) {
    console.error(`warms up for ${kind.name}`)
    for (const one of running.filter(({ contender }) => isIn(contender, kind))) {
      if (!one.contender.slowAt.includes(kind)) await visit(one, kind, site, cellPace)
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
  isIn: IsIn,
  site: Site,
  pace: RoundsPace,
): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = []
  for (let round = 0; round < pace.rounds; round++) {
    const first = round % running.length
    const order = [...running.slice(first), ...running.slice(0, first)]
    for (const kind of kinds) {
      const rates: string[] = []
      for (const one of order.filter(({ contender }) => isIn(contender, kind))) {
        const cell = await visit(one, kind, site, pace)
        measurements.push({ contender: one.contender, kind, round, cell })
        rates.push(`${one.contender.name} ${formatRate(cell.rate)}`)
      }
      console.error(`round ${round + 1} of ${pace.rounds}, ${kind.name}, requests/s: ${rates.join('; ')}`)
    }
  }
  return measurements
}

/** @throws Error for a wrong answer, or a cell that cannot be counted */
async function visit(one: Running, kind: Kind, { ground, read }: Site, pace: CellPace) {
  try {
    const url = urlOf(one, kind)
    const wanted = await wantedOf(kind, url)
    const fault = await verify(one.contender, kind, url, wanted, read)
    if (fault !== null) throw new Error(`answered wrongly: ${fault}`)
    return await measureCell(one, kind, wanted, ground, pace)
  } catch (cause) {
    throw new Error(`${one.contender.name} failed at ${kind.name}`, { cause })
  }
}

function urlOf({ contender, server }: Running, kind: Kind): URL {
  return new URL(`${contender.path}${kind.file.name}`, `http://127.0.0.1:${server.port}`)
}
