import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'

const HEAD = `
  import { createFsStore } from 'upload-store'
  import { Readable } from 'node:stream'
  import { setTimeout as sleep } from 'node:timers/promises'
  const [directory, ...rest] = process.argv.slice(1)
  const store = createFsStore(directory, { gracePeriod: 1_000_000 })
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

/** Runs code in a process of its own, with a `store` on `directory`, `bytes(...)`, `sleep`, `say` and `rest`. */
export function runScript(code: string, directory: string, ...rest: string[]): Script {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HEAD + code, directory, ...rest], {
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
