import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'

const HEAD = `
  import { Readable } from 'node:stream'
  import { setTimeout as sleep } from 'node:timers/promises'
  const [where, ...rest] = process.argv.slice(1)
  const bytes = (...chunks) => Readable.from(chunks.map((chunk) => Buffer.from(chunk)))
  const say = (value) => console.log(JSON.stringify(value ?? null))
`

export interface Script {
  readonly child: ChildProcess
  /** The next line that it says, parsed. */
  next(): Promise<unknown>
  /** Resolves with its exit code when it ends by itself. */
  readonly ended: Promise<number | null>
  kill(signal: NodeJS.Signals): Promise<void>
}

const ON_FILES = `
  import { createFsStore } from 'upload-store'
  const directory = where
  const store = createFsStore(directory, { ownerTimeout: 1_000_000 })
`

/** Runs code in a process of its own, with a `store` on `directory`, `bytes(...)`, `sleep`, `say` and `rest`. */
export function runScript(code: string, directory: string, ...rest: string[]): Script {
  return runCode(HEAD + ON_FILES + code, directory, ...rest)
}

const ON_S3 = `
  import { createS3Store } from 'upload-store/s3'
  const store = createS3Store({ timeout: 30_000, ...JSON.parse(where) })
`

/** The same, with a store of the options of `createS3Store`. */
export function runS3Script(code: string, options: object, ...rest: string[]): Script {
  return runCode(HEAD + ON_S3 + code, JSON.stringify(options), ...rest)
}

function runCode(code: string, ...parameters: string[]): Script {
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', code, ...parameters], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ended = once(child, 'exit').then(([exitCode]) => exitCode as number | null)
  return {
    child,
    ended,
    next: async () => {
      const { value, done } = await lines.next()
      if (done) throw new Error('The script ended without a word.')
      return JSON.parse(value)
    },
    kill: async (signal) => {
      child.kill(signal)
      if (signal === 'SIGKILL') await ended
    },
  }
}
