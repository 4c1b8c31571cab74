import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Server } from '../child.ts'
import { processorSeconds } from '../process-figures.ts'
import { runNodeClient } from './clients/node-client.ts'
import { runWrk, totalsFault } from './clients/wrk.ts'
import type { Contender } from './contenders.ts'
import { MEBIBYTE } from './files/media.ts'
import { bytesFetched, dropFromPageCache } from './files/page-cache.ts'
import { COLD, fieldOf, HEAD, type Kind, type Wanted } from './kinds.ts'

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
  /** The time for servers that may need longer than that for one answer. */
  readonly slowMilliseconds: number
  /** How many blocks are asked for that are not in the page cache. */
  readonly coldAnswers: number
}

export interface Running {
  readonly contender: Contender
  readonly server: Server
}

/** One contender's turn at one kind. */
export interface Turn extends Running {
  readonly kind: Kind
  readonly wanted: readonly Wanted[]
  readonly ground: Ground
  readonly pace: CellPace
}

interface Count {
  readonly answers: number
  readonly seconds: number
}

/** @throws Error when what came back cannot have been the right answers */
export async function measureCell(turn: Turn): Promise<Cell> {
  const { contender, server, kind, ground } = turn
  if (kind === COLD) await dropFromPageCache(join(ground.files, kind.file.name))
  const before = { processor: processorSeconds(server.pid), fetched: bytesFetched(server.pid) }
  const byNode = kind.client === 'node' || contender.slowAt.includes(kind)
  const { answers, seconds } = byNode ? await countByNode(turn) : await countByWrk(turn)
  const processor = processorSeconds(server.pid) - before.processor
  const fetched = bytesFetched(server.pid) - before.fetched
  if (kind === COLD && fetched < answers * kind.length * 0.9) {
    throw new Error(`Only ${fetched} bytes of ${answers * kind.length} came from the disk.`)
  }
  return {
    rate: (answers || 1) / seconds,
    processor: processor / (answers || 1),
    isBound: answers === 0,
  }
}

async function countByWrk({ contender, server, kind, wanted, ground, pace }: Turn): Promise<Count> {
  const fields = join(ground.scratch, 'fields')
  writeFileSync(fields, wanted.map((one) => `${fieldOf(one)}\n`).join(''))
  const url = new URL(`${contender.path}${kind.file.name}`, `http://127.0.0.1:${server.port}`)
  const { connections } = kind
  const totals = await runWrk({ url, fields, connections, milliseconds: pace.milliseconds })
  const length = contender.answersByte ? 1 : kind.length
  const fault = totalsFault(totals, length, connections)
  if (fault !== null) throw new Error(fault)
  // Of long answers many are under way at the end; their heads do not count beside their bodies.
  const answers = length >= MEBIBYTE ? totals.bytes / length : totals.requests
  return { answers, seconds: totals.microseconds / 1e6 }
}

function countByNode({ contender, server, kind, wanted, pace }: Turn): Promise<Count> {
  const method = kind === HEAD ? 'HEAD' : 'GET'
  const start = `${method} ${contender.path}${kind.file.name} HTTP/1.1`
  const requests = wanted.map((one) => {
    const lines = [start, `Host: 127.0.0.1:${server.port}`, fieldOf(one)].filter((line) => line !== '')
    return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
  })
  return runNodeClient({ port: server.port, requests, method, ...nodeLoad(contender, kind, pace) })
}

/** More than anybody needs for as many as are asked. */
const COLD_MILLISECONDS = 30_000

function nodeLoad({ slowAt }: Contender, kind: Kind, pace: CellPace) {
  const { connections } = kind
  const answers = Number.POSITIVE_INFINITY
  if (slowAt.includes(kind)) return { connections: 4, answers, milliseconds: pace.slowMilliseconds }
  if (kind === COLD) return { connections, answers: pace.coldAnswers, milliseconds: COLD_MILLISECONDS }
  return { connections, answers, milliseconds: pace.milliseconds }
}
