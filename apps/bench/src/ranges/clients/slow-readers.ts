import { openSync, readSync } from 'node:fs'
import { SlowReader, type Source } from './slow-reader.ts'

/** What the parent tells this process, its first argument, as JSON. */
export interface SlowReaders {
  readonly port: number
  readonly path: string
  /** Where the file lies that is asked for, to compare it with. */
  readonly file: string
  readonly size: number
  readonly readers: number
  /** Of each reader. */
  readonly bytesPerSecond: number
}

/** `settled` when what happens from now on counts, and `stop` to get the report. */
export type Command = 'settled' | 'stop'

/** The message that the process of slow readers sends when it has to stop. */
export interface SlowReport {
  /** Bytes that all of them got, and that were right. */
  readonly received: number
  /** Which part of the allowances found the one of a second before not used up, from 0 to 1. */
  readonly late: number
  /** The first fault of a reader: wrong bytes or a lost connection. */
  readonly fault: string | null
}

/** Readers get their allowances in turn, not all at once. */
const TURNS_PER_SECOND = 50

/** A connection at a time would be slow, a thousand at once overflow the queue of those to be accepted. */
const CONNECT_AT_ONCE = 100

async function main(order: SlowReaders): Promise<void> {
  const source = sourceOf(order)
  const readers: SlowReader[] = []
  while (readers.length < order.readers) {
    const more = Array.from(
      { length: Math.min(CONNECT_AT_ONCE, order.readers - readers.length) },
      (_, at) => {
        const start = Math.floor(((readers.length + at) / order.readers) * order.size)
        return new SlowReader(source, start)
      },
    )
    readers.push(...more)
    await Promise.all(more.map(({ started }) => started))
  }
  const allowances = allowInTurns(readers, order.bytesPerSecond)
  let before = { allowed: 0, late: 0 }
  const counts = () => ({ allowed: allowances.allowed(), late: sum(readers.map(({ late }) => late)) })
  process.send?.('ready')
  process.on('message', (command: Command) => {
    if (command === 'settled') {
      before = counts()
      return
    }
    allowances.end()
    for (const reader of readers) reader.stop()
    const { allowed, late } = counts()
    const report = reportOf(readers, (late - before.late) / (allowed - before.allowed))
    process.send?.(report, () => process.disconnect())
  })
}

/** Parts of the file lie far enough apart that no two readers get the same bytes. */
function sourceOf({ port, path, file, size }: SlowReaders): Source {
  const descriptor = openSync(file, 'r')
  let buffer = Buffer.alloc(0)
  const read = (start: number, length: number) => {
    if (buffer.length < length) buffer = Buffer.allocUnsafe(length)
    return buffer.subarray(0, readSync(descriptor, buffer, 0, length, start))
  }
  return { port, path, size, read }
}

interface Allowances {
  readonly allowed: () => number
  readonly end: () => void
}

/** Gives each of them its bytes of a second, in turn. */
function allowInTurns(readers: readonly SlowReader[], bytesPerSecond: number): Allowances {
  const startedAt = performance.now()
  let allowed = 0
  const timer = setInterval(() => {
    // By the clock: a timer that comes late makes up for it.
    const due = Math.floor(((performance.now() - startedAt) / 1000) * readers.length)
    for (; allowed < due; allowed++) readers[allowed % readers.length]?.allow(bytesPerSecond)
  }, 1000 / TURNS_PER_SECOND)
  return { allowed: () => allowed, end: () => clearInterval(timer) }
}

function reportOf(readers: readonly SlowReader[], late: number): SlowReport {
  return {
    received: sum(readers.map(({ received }) => received)),
    late,
    fault: readers.find(({ fault }) => fault !== null)?.fault ?? null,
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

process.on('SIGINT', () => undefined)
process.once('disconnect', () => process.exit())
main(JSON.parse(process.argv[2] ?? '')).catch((error: unknown) => {
  console.error(error)
  process.exit(1)
})
