import { isatty } from 'node:tty'
import { BoundedSink } from './bounded-sink.ts'
import { prettyLine } from './log-format.ts'
import { openOutlet } from './outlet.ts'

const opened = new Map<1 | 2, BoundedSink>()

/** Standard output, for the start-up text. */
export const standardOutput = (): BoundedSink => openStream(1)

/** Standard error, for the log and for errors that end the process. */
export const standardError = (): BoundedSink => openStream(2)

/** Resolves when everything is written, or when a reader has been waited for long enough. */
export async function flushStandardStreams(): Promise<void> {
  await Promise.all([...opened.values()].map((sink) => sink.flush()))
}

/** One for the whole process, as the descriptor is. */
function openStream(fd: 1 | 2): BoundedSink {
  const existing = opened.get(fd)
  if (existing !== undefined) return existing
  const sink = new BoundedSink(openOutlet(fd), { notice: isatty(fd) ? prettyNotice : notice })
  opened.set(fd, sink)
  // After an error that ends the process, or a second signal.
  process.once('exit', () => sink.flushSync())
  return sink
}

function notice(dropped: number): string {
  const line = { level: 40, time: Date.now(), pid: process.pid, dropped, msg: 'log lines were dropped' }
  return `${JSON.stringify(line)}\n`
}

function prettyNotice(dropped: number): string {
  return prettyLine(notice(dropped))
}
