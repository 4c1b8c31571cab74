import { type Server, startServer } from '../child.ts'
import { measureRate } from './client.ts'
import { CONTENDERS, type Contender } from './contenders.ts'
import { drawSamples, type Sample } from './file.ts'

export interface Size {
  readonly name: string
  readonly length: number
}

export const SIZES: readonly Size[] = [
  { name: '4 KiB', length: 4 * 1024 },
  { name: '64 KiB', length: 64 * 1024 },
  { name: '1 MiB', length: 1024 * 1024 },
]

export interface Pace {
  readonly rounds: number
  readonly cellMilliseconds: number
  readonly rampMilliseconds: number
  /** Per size, once, before the first round: V8 takes seconds to compile all that a request runs through. */
  readonly warmUpMilliseconds: number
}

/** What one cell of one round has shown. */
export interface Measurement {
  readonly contender: Contender
  readonly size: Size
  /** Answers per second. */
  readonly rate: number
}

/** The file to ask for, and what to ask of it. */
export interface Target {
  readonly root: string
  readonly name: string
  readonly samples: ReadonlyMap<Size, readonly Sample[]>
}

const SAMPLES = 1000

/** Every contender is asked for the same ranges. */
export function drawAllSamples(path: string): Target['samples'] {
  return new Map(SIZES.map((size) => [size, drawSamples(path, size.length, SAMPLES)]))
}

interface Running {
  readonly contender: Contender
  readonly server: Server
}

/** Starts and warms up every server, measures all of them round by round, and ends them. */
export async function runBench(target: Target, pace: Pace): Promise<readonly Measurement[]> {
  const running: Running[] = []
  try {
    for (const contender of CONTENDERS) {
      const server = await startServer(contender.server, target.root)
      running.push({ contender, server })
    }
    for (const one of running) {
      console.error(`warms up ${one.contender.name}`)
      await visit(one, target, { ...pace, cellMilliseconds: pace.warmUpMilliseconds })
    }
    return await runRounds(running, target, pace)
  } finally {
    await Promise.all(running.map(({ server }) => server.stop()))
  }
}

/**
 * Visits every server once per round, so that a host that slows down slows all of them; and in rotated order,
 * so that none always follows the same neighbour.
 */
async function runRounds(
  running: readonly Running[],
  target: Target,
  pace: Pace,
): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = []
  for (let round = 0; round < pace.rounds; round++) {
    const first = round % running.length
    for (const one of [...running.slice(first), ...running.slice(0, first)]) {
      const visited = await visit(one, target, pace)
      measurements.push(...visited)
      const rates = visited.map(({ size, rate }) => `${size.name} ${rate.toFixed(1)}/s`)
      console.error(`round ${round + 1} of ${pace.rounds}: ${one.contender.name}: ${rates.join(', ')}`)
    }
  }
  return measurements
}

async function visit(
  { contender, server }: Running,
  target: Target,
  pace: Pace,
): Promise<readonly Measurement[]> {
  const url = new URL(`http://127.0.0.1:${server.port}/${target.name}`)
  const { rampMilliseconds, cellMilliseconds: milliseconds } = pace
  const measurements: Measurement[] = []
  for (const [size, samples] of target.samples) {
    try {
      const rate = await measureRate({
        url,
        samples,
        expect: contender.expect,
        rampMilliseconds,
        milliseconds,
      })
      measurements.push({ contender, size, rate })
    } catch (cause) {
      throw new Error(`${contender.name} failed at ${size.name}`, { cause })
    }
  }
  return measurements
}
