import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Line } from './expectation.ts'
import { runChild } from './process.ts'
import type { Scenario } from './scenario.ts'

/** What a scenario starts from: a directory to copy, and what was told of it. */
export interface Ground {
  readonly directory: string
  readonly lines: readonly Line[]
}

/** Runs what has to have happened before a scenario, each in a process of its own. */
export async function layGround({ after = [] }: Scenario, directory: string, boot?: string): Promise<Ground> {
  const lines: Line[] = []
  mkdirSync(directory)
  for (const { scenario, killedAt } of after) {
    const mode =
      killedAt === undefined
        ? ({ type: 'count' } as const)
        : ({ type: 'kill', at: killedAt, phase: 'after' } as const)
    const ended = await runChild({
      scenario,
      directory: join(directory, 'data'),
      lines: [...lines],
      mode,
      boot,
    })
    if (ended.stderr !== '') throw new Error(`${scenario}: ${ended.stderr}`)
    lines.push(...ended.lines)
  }
  return { directory, lines }
}

/** A copy of a ground in which equal files are still the same file. */
export async function copyGround({ directory }: Ground, target: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', directory, target])
}

/** Gives `work` a directory that is removed afterwards, also when this process is interrupted. */
export async function withDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'koa-range-faults-')))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    return await work(directory)
  } finally {
    process.removeListener('exit', remove)
    remove()
  }
}
