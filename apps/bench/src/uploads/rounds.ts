import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startServer } from '../child.ts'
import { peakMemory, resetPeakMemory } from '../process-figures.ts'
import { type Cell, measureUploads, type Running, type Workload, writeBack } from './cell.ts'
import { CONTENDERS, type Contender, CROWD_CONTENDERS } from './contenders.ts'
import { type Upload, uploadsOf } from './upload.ts'

export interface Pace {
  readonly rounds: number
  readonly workloads: readonly Workload[]
  /** Once, before the first round: V8 compiles what an upload runs through. */
  readonly warmUp: Workload
  /** Uploads at once into a fresh process, for its memory. */
  readonly crowd: Workload
}

export interface Measurement {
  readonly contender: Contender
  readonly workload: Workload
  readonly cell: Cell
}

export interface Peak {
  readonly contender: Contender
  readonly workload: Workload
  /** Bytes. */
  readonly memory: number
  readonly cell: Cell
}

/** Starts and warms up every server, measures all of them round by round, and ends them. */
export async function runRounds(root: string, pace: Pace): Promise<readonly Measurement[]> {
  const running: Running[] = []
  try {
    for (const contender of CONTENDERS) running.push(await start(contender, root))
    for (const one of running) {
      console.error(`warms up ${one.contender.name}`)
      await visit(one, pace.warmUp, uploadsOf(pace.warmUp.size))
    }
    return await measureRounds(running, pace)
  } finally {
    await Promise.all(running.map(end))
  }
}

/** Everybody's turn once per round and workload; in rotated order, so that none is always the first. */
async function measureRounds(running: readonly Running[], pace: Pace): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = []
  const drawn = pace.workloads.map((workload) => ({ workload, draw: uploadsOf(workload.size) }))
  for (let round = 0; round < pace.rounds; round++) {
    const first = round % running.length
    const order = [...running.slice(first), ...running.slice(0, first)]
    for (const { workload, draw } of drawn) {
      for (const one of order) {
        const cell = await visit(one, workload, draw)
        measurements.push({ contender: one.contender, workload, cell })
        console.error(`round ${round + 1} of ${pace.rounds}: ${describe(one.contender, workload, cell)}`)
      }
    }
  }
  return measurements
}

async function visit(running: Running, workload: Workload, draw: () => Upload): Promise<Cell> {
  const { cell, kept } = await measure(running, workload, draw)
  if (!workload.stay) await Promise.all(kept.map((one) => one.remove()))
  await writeBack()
  return cell
}

async function measure(
  running: Running,
  { name, count, parallel }: Workload,
  draw: () => Upload,
): ReturnType<typeof measureUploads> {
  try {
    return await measureUploads(running, Array.from({ length: count }, draw), parallel)
  } catch (cause) {
    throw new Error(`${running.contender.name} failed at ${name}`, { cause })
  }
}

/** The memory that a crowd takes, each time in a process that has done nothing else. */
export async function measurePeaks(root: string, { crowd }: Pace): Promise<readonly Peak[]> {
  const peaks: Peak[] = []
  const draw = uploadsOf(crowd.size)
  for (const contender of CROWD_CONTENDERS) {
    const running = await start(contender, root)
    try {
      resetPeakMemory(running.server.pid)
      const { cell } = await measure(running, crowd, draw)
      const memory = peakMemory(running.server.pid)
      peaks.push({ contender, workload: crowd, memory, cell })
      console.error(`memory: ${describe(contender, crowd, cell)}, ${Math.round(memory / 2 ** 20)} MiB`)
    } finally {
      await end(running)
      await writeBack()
    }
  }
  return peaks
}

async function start(contender: Contender, parent: string): Promise<Running> {
  const root = mkdtempSync(join(parent, 'data-'))
  return { contender, root, server: await startServer(contender.server, root, { mode: contender.mode }) }
}

async function end({ server, root }: Running): Promise<void> {
  await server.stop()
  rmSync(root, { recursive: true })
}

function describe({ name }: Contender, workload: Workload, { seconds, server, client }: Cell): string {
  const times = [`${seconds.toFixed(2)} s`, `server ${server.toFixed(2)} s`, `client ${client.toFixed(2)} s`]
  return `${name}: ${workload.name}: ${times.join(', ')}`
}
