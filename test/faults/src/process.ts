import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Line } from './expectation.ts'
import type { Task } from './task.ts'

export interface Ended {
  /** All that the child told, earlier processes' lines not included. */
  readonly lines: readonly Line[]
  readonly signal: NodeJS.Signals | null
  readonly code: number | null
  readonly stderr: string
}

// From src/ and dist/ alike: Node 20 runs no TypeScript, so a child is always what is built.
const built = (name: string) => fileURLToPath(new URL(`../dist/${name}.js`, import.meta.url))

/** Runs one task in a process of its own, for at most five minutes. */
export async function runChild(task: Task): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', built('wrapper'), built('child')], {
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    timeout: 300_000,
  })
  // Where this process is interrupted, before the directory is removed: the child would make it anew.
  const end = () => child.kill('SIGKILL')
  process.prependListener('exit', end)
  const [stdin, , stderr, report] = child.stdio
  stdin?.end(JSON.stringify(task))
  const told = Promise.all([text(stderr as Readable), text(report as Readable)])
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  process.removeListener('exit', end)
  const [errors, lines] = await told
  return { lines: linesOf(lines), signal, code, stderr: errors }
}

function linesOf(told: string): Line[] {
  return told
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
}
