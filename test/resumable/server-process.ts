import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { bundled } from '../support/bundled.ts'
import { COVERAGE_FLAGS, KILL } from '../support/coverage.ts'
import type { Ports, UnderTestOptions } from './under-test.mjs'

export interface ServerProcess {
  readonly ports: Ports
  /** Ends it by SIGKILL, and resolves when it is no more. */
  kill(): Promise<void>
}

/** The app under test in a process of its own, over the store in `directory`, until the test has finished. */
export async function startProcess(
  directory: string,
  options: UnderTestOptions = {},
): Promise<ServerProcess> {
  const child = spawn(
    process.execPath,
    [...COVERAGE_FLAGS, bundled('resumable-upload'), directory, JSON.stringify(options)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = once(child, 'exit')
  const kill = () => end(child, ended)
  onTestFinished(kill)
  const { value, done } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()
  if (done) throw new Error('The server ended without a word.')
  return { ports: JSON.parse(value), kill }
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill(KILL)
  await ended
}
