import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('../../../requests.lua', import.meta.url))

/** What wrk has counted itself. */
export interface Totals {
  readonly requests: number
  /** Heads and bodies, those of answers that were not complete at the end included. */
  readonly bytes: number
  readonly microseconds: number
  /** Answers with a status of 400 or more. */
  readonly refused: number
  /** Connections that were refused or broke. */
  readonly broken: number
  readonly timeouts: number
}

export interface WrkLoad {
  readonly url: URL
  /** A file of header fields, one a line, to ask with in turn. */
  readonly fields: string
  readonly connections: number
  readonly milliseconds: number
}

/** Keeps every connection busy for a while. It runs on the processor of this process. */
export async function runWrk({ url, fields, connections, milliseconds }: WrkLoad): Promise<Totals> {
  // It ends by our signal, as it counts in whole seconds itself. The minute is for when we are gone before.
  const args = ['-t1', `-c${connections}`, '-d1m', '--timeout', '30s', '-s', SCRIPT, url.href, '--', fields]
  const wrk = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const kill = () => wrk.kill()
  process.once('exit', kill)
  let output = ''
  wrk.stdout.on('data', (chunk) => {
    output += chunk
  })
  const ended = once(wrk, 'close')
  // The script says when it has read the fields, which on a busy machine takes longer than a short cell.
  await Promise.race([once(wrk.stdout, 'data').then(() => setTimeout(milliseconds)), ended])
  wrk.kill('SIGINT')
  await ended
  process.off('exit', kill)
  return readTotals(output)
}

/** @throws Error when wrk did not get as far as to print them */
export function readTotals(output: string): Totals {
  const line = output.trimEnd().split('\n').at(-1) ?? ''
  if (!line.startsWith('{')) throw new Error(`wrk has printed no totals: ${output}`)
  return JSON.parse(line) as Totals
}

/** More than any server sends before a body. */
const LONGEST_HEAD = 2048

/**
 * What shows in wrk's totals that answers were not those that were verified before: a refused one, a broken
 * connection, or too few or too many bytes.
 *
 * @param length bytes of each answer's body
 */
export function totalsFault(totals: Totals, length: number, connections: number): string | null {
  const { requests, bytes, refused, broken, timeouts } = totals
  if (refused + broken + timeouts > 0) {
    return `${refused} answers of status 400 or more, ${broken} broken connections, ${timeouts} timeouts`
  }
  const least = requests * length
  const most = (requests + connections) * (length + LONGEST_HEAD)
  return bytes >= least && bytes <= most ? null : `${bytes} bytes for ${requests} answers of ${length}`
}
