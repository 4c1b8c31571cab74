import { setTimeout } from 'node:timers/promises'
import { startServer } from '../child.ts'
import { processorSeconds } from '../process-figures.ts'
import { findProgram, SERVER_PROCESSOR } from '../programs.ts'
import { progress } from '../progress.ts'
import { type Cell, type CellPace, type Ground, measureCell, type Running } from './cell.ts'
import { verify, wantedOf } from './clients/verify.ts'
import { CONTENDERS, type Contender, NGINX } from './contenders.ts'
import type { ReadBytes } from './files/media.ts'
import type { Kind, Wanted } from './kinds.ts'

export interface Site {
  readonly ground: Ground
  readonly read: ReadBytes
}

/** Starts all servers to compare, except those that are not installed. */
export async function startAll(ground: Ground): Promise<readonly Running[]> {
  const present = CONTENDERS.filter((contender) => contender !== NGINX || findProgram('nginx') !== null)
  if (!present.includes(NGINX)) {
    progress('nginx is missing and left out; on Debian, "apt-get install nginx-light" brings it')
  }
  return await Promise.all(present.map((contender) => start(contender, ground)))
}

export async function start(contender: Contender, ground: Ground): Promise<Running> {
  const mode = contender === NGINX ? (findProgram('nginx') ?? '') : contender.mode
  const root = ground[contender.source]
  const server = await startServer(contender.server, root, { mode, processor: SERVER_PROCESSOR })
  return { contender, server }
}

interface Examined {
  /** What to ask it for. */
  readonly wanted: readonly Wanted[]
  /** What is wrong with its answers, or `null`. */
  readonly fault: string | null
}

/** Compares some answers with the file. */
export async function examine({ contender, server }: Running, kind: Kind, { read }: Site): Promise<Examined> {
  const url = new URL(`${contender.path}${kind.file.name}`, `http://127.0.0.1:${server.port}`)
  const wanted = await wantedOf(kind, url)
  return { wanted, fault: await verify(contender, kind, url, wanted, read) }
}

/**
 * Compares answers with the file, then measures.
 *
 * @throws Error for a wrong answer, or a cell that cannot be counted
 */
export async function visit(running: Running, kind: Kind, site: Site, pace: CellPace): Promise<Cell> {
  try {
    const { wanted, fault } = await examine(running, kind, site)
    if (fault !== null) throw new Error(`answered wrongly: ${fault}`)
    return await measureCell({ ...running, kind, wanted, ground: site.ground, pace })
  } catch (cause) {
    throw new Error(`${running.contender.name} failed at ${kind.name}`, { cause })
  }
}

/** Waits until a server has nothing more to do: what is left over would be at the expense of the next one. */
export async function rest({ server }: Running): Promise<void> {
  for (let tries = 0, last = Number.NaN; tries < 100; tries++) {
    const now = processorSeconds(server.pid)
    if (now === last) return
    last = now
    await setTimeout(25)
  }
}
