import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { forkPinned } from '../child.ts'
import { peakMemory, resetPeakMemory } from '../process-figures.ts'
import { CLIENT_PROCESSOR } from '../programs.ts'
import { progress } from '../progress.ts'
import { formatRate, median } from '../table.ts'
import type { Cell, Running } from './cell.ts'
import type { Command, SlowReaders, SlowReport } from './clients/slow-readers.ts'
import type { Contender } from './contenders.ts'
import { FILM, KIBIBYTE, MEBIBYTE } from './files/media.ts'
import { FAST } from './kinds.ts'
import { type Site, start, visit } from './visit.ts'

export interface CrowdPace {
  readonly readers: number
  /** How often the fast reader is measured alone and then beside the others. */
  readonly samples: number
  readonly sampleMilliseconds: number
  /** What the slow ones are given to fill the kernel's buffers, which is no steady state. */
  readonly settleMilliseconds: number
}

/** What a crowd of slow readers does to a server. */
export interface Crowd {
  readonly contender: Contender
  readonly readers: number
  /** The most memory that the server has taken, in bytes. */
  readonly memory: number
  readonly report: SlowReport
  /** Answers per second to one fast reader. */
  readonly alone: number
  readonly beside: number
  /** Seconds of processor time for one response to the fast reader alone. */
  readonly processor: number
}

/** What each of them takes. */
const BYTES_PER_SECOND: number = 64 * KIBIBYTE

/** Measures one contender in a process that has done nothing else. */
export async function measureCrowd(contender: Contender, site: Site, pace: CrowdPace): Promise<Crowd> {
  const running = await start(contender, site.ground)
  try {
    // The first ones are for V8 to compile what a request runs through.
    await fastCells(running, site, pace)
    const alone = await fastCells(running, site, pace)
    resetPeakMemory(running.server.pid)
    const readers = await startReaders(running, site.ground.files, pace.readers)
    await setTimeout(pace.settleMilliseconds)
    readers.settled()
    const beside = await fastCells(running, site, pace)
    const memory = peakMemory(running.server.pid)
    const report = await readers.stop()
    const again = await fastCells(running, site, pace)
    const crowd = {
      contender,
      readers: pace.readers,
      memory,
      report,
      alone: median([...alone, ...again].map(({ rate }) => rate)),
      beside: median(beside.map(({ rate }) => rate)),
      processor: median([...alone, ...again].map(({ processor }) => processor)),
    }
    progress(`${pace.readers} slow readers: ${describe(crowd)}`)
    return crowd
  } finally {
    await running.server.stop()
  }
}

function describe({ contender, memory, alone, beside }: Crowd): string {
  const fast = `a fast one ${formatRate(beside)} requests/s, alone ${formatRate(alone)}`
  return `${contender.name}: ${Math.round(memory / MEBIBYTE)} MiB, ${fast}`
}

async function fastCells(
  running: Running,
  site: Site,
  { samples, sampleMilliseconds: milliseconds }: CrowdPace,
): Promise<readonly Cell[]> {
  const pace = { milliseconds, slowMilliseconds: milliseconds, coldAnswers: 0 }
  const cells: Cell[] = []
  for (let sample = 0; sample < samples; sample++) cells.push(await visit(running, FAST, site, pace))
  return cells
}

interface Readers {
  settled(): void
  stop(): Promise<SlowReport>
}

async function startReaders(
  { contender, server }: Running,
  files: string,
  readers: number,
): Promise<Readers> {
  const order: SlowReaders = {
    port: server.port,
    path: `${contender.path}${FILM.name}`,
    file: join(files, FILM.name),
    size: FILM.size,
    readers,
    bytesPerSecond: BYTES_PER_SECOND,
  }
  const child = forkPinned(
    new URL('./clients/slow-readers.js', import.meta.url),
    [JSON.stringify(order)],
    CLIENT_PROCESSOR,
  )
  const exited = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`The slow readers ended with ${code ?? signal}.`)
  })
  await Promise.race([once(child, 'message'), exited])
  const tell = (command: Command) => child.send(command)
  return {
    settled: () => tell('settled'),
    stop: async () => {
      tell('stop')
      const [report] = await Promise.race([once(child, 'message'), exited])
      await exited.catch(() => undefined)
      return report
    },
  }
}
