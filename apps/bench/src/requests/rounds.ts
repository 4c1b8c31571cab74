import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Server, startServer } from '../child.ts'
import { type Client, type Figures, measure, openClient } from './client.ts'
import { CONTENDERS, type Contender, type Entry, SUBJECTS, type Subject } from './subjects.ts'

export interface Measurement {
  readonly subject: Subject
  readonly entry: Entry
  /** In the order of the rounds. */
  readonly figures: readonly Figures[]
}

interface Running {
  readonly server: Server
  readonly client: Client
}

/**
 * Measures each kind of request `rounds` times, with all servers running. Within a round the entries of a subject take
 * turns, and begin with another one in each round, so that a disk that slows down slows all of them.
 *
 * @param count requests for each figure
 */
export async function runRounds(
  root: string,
  rounds: number,
  count: number,
): Promise<readonly Measurement[]> {
  const running = new Map<Contender, Running>()
  try {
    for (const contender of CONTENDERS) running.set(contender, await start(contender, root))
    const measurements: Measurement[] = []
    for (const subject of SUBJECTS)
      measurements.push(...(await measureSubject(subject, running, rounds, count)))
    return measurements
  } finally {
    for (const { client, server } of running.values()) {
      client.close()
      await server.stop()
    }
  }
}

async function start({ name, server, mode }: Contender, root: string): Promise<Running> {
  const directory = join(root, name.replace(/\W+/g, '-'))
  mkdirSync(directory, { recursive: true })
  const child = await startServer(server, directory, { mode })
  return { server: child, client: openClient(child.port, 16) }
}

async function measureSubject(
  subject: Subject,
  running: ReadonlyMap<Contender, Running>,
  rounds: number,
  count: number,
): Promise<readonly Measurement[]> {
  const visits = await Promise.all(
    subject.entries.map((entry) => prepareVisit(entry, subject.parallel, running)),
  )
  const warmUp = Math.ceil(count / 4)
  for (const { measureTask } of visits) await measureTask(warmUp)
  const figures = subject.entries.map((): Figures[] => [])
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < visits.length; turn++) {
      const at = (round + turn) % visits.length
      const visit = visits[at]
      if (visit === undefined) continue
      const { measureTask, name } = visit
      const measured = await measureTask(count)
      figures[at]?.push(measured)
      const speed = `${measured.perSecond.toFixed(0)} a second, ${measured.processor.toFixed(1)} ms`
      console.error(`${subject.name}, round ${round + 1} of ${rounds}: ${name}: ${speed}`)
    }
  }
  return subject.entries.map((entry, at) => ({ subject, entry, figures: figures[at] ?? [] }))
}

async function prepareVisit(entry: Entry, parallel: number, running: ReadonlyMap<Contender, Running>) {
  const found = running.get(entry.contender)
  if (found === undefined) throw new Error(`${entry.contender.name} is not running.`)
  const { client, server } = found
  const task = await entry.prepare(client.send)
  const measureTask = async (count: number): Promise<Figures> => {
    const figures = await measure(server.pid, count, parallel, task)
    // The server would end them while the others have their turn, at the moment of a new request perhaps.
    client.close()
    return figures
  }
  return { measureTask, name: `${entry.contender.name}, ${entry.label}` }
}
