import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Server } from '../child.ts'
import { processorSeconds } from '../process-figures.ts'
import type { Contender } from './contenders.ts'
import { COLD, fieldOf, HEAD, type Kind, type Wanted } from './kinds.ts'
import { MEBIBYTE } from './media.ts'
import { runNodeClient } from './node-client.ts'
import { bytesFetched, dropFromPageCache } from './page-cache.ts'
import { runWrk, totalsFault } from './wrk.ts'

/** Where the bench works. */
export interface Ground {
  /** The files that are asked for. */
  readonly files: string
  /** A store that holds the same. */
  readonly store: string
  /** For what wrk has to read. */
  readonly scratch: string
}

/** What one visit of a contender has shown. */
export interface Cell {
  /** Answers per second; less than that where `isBound`. */
  readonly rate: number
  /** Processor time of the server for one answer, in seconds; more than that where `isBound`. */
  readonly processor: number
  /** Whether no answer came at all in the time that there was. */
  readonly isBound: boolean
}

export interface CellPace {
  readonly milliseconds: number
  /** For who may not finish an answer within that. */
  readonly slowMilliseconds: number
  /** How many blocks are asked for that are not in the page cache. */
  readonly coldAnswers: number
}

export interface Running {
  readonly contender: Contender
  readonly server: Server
}

interface Count {
  readonly answers: number
  readonly seconds: number
}

/** @throws Error when what came back cannot have been the right answers */
export async function measureCell(
  { contender, server }: Running,
  kind: Kind,
  wanted: readonly Wanted[],
  ground: Ground,
  pace: CellPace,
): Promise<Cell> {
  const path = `${contender.path}${kind.file.name}`
  if (kind === COLD) await dropFromPageCache(join(ground.files, kind.file.name))
  const before = { processor: processorSeconds(server.pid), fetched: bytesFetched(server.pid) }
  const isNodes = kind.client === 'node' || contender.slowAt.includes(kind)
  const { answers, seconds } = isNodes
    ? await countByNode(contender, kind, path, server.port, wanted, pace)
    : await countByWrk(contender, kind, path, server.port, wanted, ground, pace)
  const processor = processorSeconds(server.pid) - before.processor
  const fetched = bytesFetched(server.pid) - before.fetched
  if (kind === COLD && fetched < answers * kind.length * 0.9) {
    throw new Error(`Only ${fetched} bytes of ${answers * kind.length} came from the disk.`)
  }
  await rest(server.pid)
  return {
    rate: Math.max(answers, 1) / seconds,
    processor: processor / Math.max(answers, 1),
    isBound: answers === 0,
  }
}

async function countByWrk(
  contender: Contender,
  kind: Kind,
  path: string,
  port: number,
  wanted: readonly Wanted[],
  { scratch }: Ground,
  { milliseconds }: CellPace,
): Promise<Count> {
  const fields = join(scratch, 'fields')
  writeFileSync(fields, wanted.map((one) => `${fieldOf(one)}\n`).join(''))
  const url = new URL(path, `http://127.0.0.1:${port}`)
  const totals = await runWrk({ url, fields, connections: kind.connections, milliseconds })
  const length = contender.answersByte ? 1 : kind.length
  const fault = totalsFault(totals, length, kind.connections)
  if (fault !== null) throw new Error(fault)
  // Of long answers many are under way at the end; their heads do not count beside their bodies.
  const answers = length >= MEBIBYTE ? totals.bytes / length : totals.requests
  return { answers, seconds: totals.microseconds / 1e6 }
}

function countByNode(
  contender: Contender,
  kind: Kind,
  path: string,
  port: number,
  wanted: readonly Wanted[],
  pace: CellPace,
): Promise<Count> {
  const method = kind === HEAD ? 'HEAD' : 'GET'
  const requests = wanted.map((one) => {
    const lines = [`${method} ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, fieldOf(one)].filter(Boolean)
    return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
  })
  const isSlow = contender.slowAt.includes(kind)
  return runNodeClient({
    port,
    requests,
    method,
    connections: isSlow ? 4 : kind.connections,
    answers: kind === COLD ? pace.coldAnswers : Number.POSITIVE_INFINITY,
    milliseconds: isSlow ? pace.slowMilliseconds : kind === COLD ? 30_000 : pace.milliseconds,
  })
}

/** Waits until a server has nothing more to do, else its neighbour would be measured with it. */
async function rest(pid: number): Promise<void> {
  for (let tries = 0, last = Number.NaN; tries < 100; tries++) {
    const now = processorSeconds(pid)
    if (now === last) return
    last = now
    await setTimeout(25)
  }
}
