import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Server } from '../child.ts'
import { processorSeconds } from '../process-figures.ts'
import type { Contender } from './contenders.ts'
import { type Kept, keptAs } from './kept.ts'
import { type Answer, send } from './send.ts'
import type { Upload } from './upload.ts'

/** So many uploads of one size. */
export interface Workload {
  readonly name: string
  /** Bytes of one upload. */
  readonly size: number
  readonly count: number
  /** How many are under way at once. */
  readonly parallel: number
  /**
   * Whether uploads are kept to the end of the run, for which they have to be small: a file system without a journal
   * takes a millisecond to make a file where many were deleted in the last minute, and that would be measured instead.
   */
  readonly stay: boolean
}

export interface Running {
  readonly contender: Contender
  readonly server: Server
  /** The directory that it writes to. */
  readonly root: string
}

/** What one visit of a contender has shown, in seconds. */
export interface Cell {
  readonly seconds: number
  /** Processor time. */
  readonly server: number
  /** Processor time. */
  readonly client: number
}

/**
 * Sends the uploads and checks what has become of them; the check is no part of the figures.
 *
 * @throws Error for an upload that was not answered or not kept as it should be
 */
export async function measureUploads(
  running: Running,
  uploads: readonly Upload[],
  parallel: number,
): Promise<{ readonly cell: Cell; readonly kept: readonly Kept[] }> {
  const { contender, server, root } = running
  const started = { at: performance.now(), server: processorSeconds(server.pid), client: process.cpuUsage() }
  const answers = await inParallel(uploads, parallel, (upload) =>
    send(server.port, contender.method, upload).then((answer) => ({ upload, answer })),
  )
  const { user, system } = process.cpuUsage(started.client)
  const cell = {
    seconds: (performance.now() - started.at) / 1000,
    server: processorSeconds(server.pid) - started.server,
    client: (user + system) / 1e6,
  }
  const kept = await inParallel(answers, parallel, async ({ upload, answer }) => {
    const key = checkAnswer(answer, upload, contender)
    const one = keptAs(key, contender.keeps, root, server.port)
    expectSame('The size kept', await one.size(), upload.size)
    return one
  })
  // Every byte of one of them: all would take longer than the uploads did.
  expectSame('The sha-256 of what is kept', await kept[0]?.digest(), uploads[0]?.digest)
  return { cell, kept }
}

/** Writes back what the disk has yet to get, so that the next contender need not pay for it. */
export async function writeBack(): Promise<void> {
  await promisify(execFile)('sync')
}

/** @returns the key that the answer tells */
function checkAnswer({ status, text }: Answer, upload: Upload, { hashes }: Contender): string {
  if (status !== 201) throw new Error(`An upload was answered with ${status}: ${text.slice(0, 200)}`)
  const { key, size, digest } = JSON.parse(text) as Readonly<Record<string, unknown>>
  expectSame('The size answered', size, upload.size)
  if (hashes) expectSame('The sha-256 answered', digest, upload.digest)
  return String(key)
}

function expectSame(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${what} is ${actual}, not ${expected}.`)
}

async function inParallel<T, R>(
  items: readonly T[],
  parallel: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = []
  const todo = items.entries()
  async function workOff(): Promise<void> {
    for (const [at, item] of todo) results[at] = await work(item)
  }
  await Promise.all(Array.from({ length: parallel }, workOff))
  return results
}
