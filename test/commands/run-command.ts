import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { bundled } from '../support/bundled.ts'

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts a command of the built server. */
export function startCommand(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const path = process.env['PATH']
  return spawn(process.execPath, [bundled('server'), ...args], {
    env: { ...(path === undefined ? {} : { PATH: path }), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

export async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const { stdout, stderr } = child
  if (stdout === null || stderr === null) throw new Error('The child has no pipes.')
  const [out, err, [code]] = await Promise.all([text(stdout), text(stderr), once(child, 'exit')])
  return { code, stdout: out, stderr: err }
}

export const runCommand = (...args: readonly string[]): Promise<Outcome> => outcomeOf(startCommand(args))

/** The JSON objects that a command has printed. */
export function linesOf({ stdout }: Outcome): readonly Readonly<Record<string, unknown>>[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
}
