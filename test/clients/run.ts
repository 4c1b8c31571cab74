import { execFile } from 'node:child_process'
import { missingPath } from '../support/temporary.ts'

export interface Finished {
  readonly code: number
  readonly stdout: Buffer
  readonly stderr: string
}

export interface RunOptions {
  readonly uid?: number
  readonly gid?: number
  readonly env?: Record<string, string>
}

/** Runs a program to its end, whatever its exit code. */
export function run(program: string, flags: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const limits = { timeout: 20_000, maxBuffer: 64 * 1024 * 1024, encoding: 'buffer' } as const
  const { env, ...rest } = options
  return new Promise((resolve, reject) => {
    const environment = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', HOME: missingPath(), ...env }
    execFile(program, flags, { ...limits, ...rest, env: environment }, (error, stdout, stderr) => {
      // A signal or a program that is not there; an exit code is for the test to judge.
      if (error !== null && typeof error.code !== 'number') reject(error)
      else resolve({ code: Number(error?.code ?? 0), stdout, stderr: String(stderr) })
    })
  })
}
