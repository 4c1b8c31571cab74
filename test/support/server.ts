import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { bundled } from './bundled.ts'
import { COVERAGE_FLAGS, KILL } from './coverage.ts'
import { environmentOfServer } from './test-store.mjs'

export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))

export interface Exit {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The server as people start it, in a process of its own. */
export class ServerProcess {
  readonly child: ChildProcess
  readonly exited: Promise<Exit>
  #stdout = ''
  #stderr = ''

  /**
   * @param launcher a command that runs the one that follows its arguments, such as `['nice']`
   * @param streams descriptors that the server gets in place of sockets whose bytes are collected here
   */
  constructor(
    flags: readonly string[],
    env: Record<string, string> = {},
    launcher: readonly string[] = [],
    { stdout = 'pipe', stderr = 'pipe' }: Partial<Record<'stdout' | 'stderr', 'pipe' | number>> = {},
  ) {
    const [command = '', ...rest] = [
      ...launcher,
      process.execPath,
      ...COVERAGE_FLAGS,
      bundled('server'),
      ...flags,
    ]
    this.child = spawn(command, rest, {
      env: {
        PATH: process.env['PATH'],
        TZ: 'America/New_York',
        POISON_RELEASED_BUFFERS: process.env['POISON_RELEASED_BUFFERS'],
        // `off` in the project `slow-off` of vitest.
        RANGE_SERVER_SENDFILE: process.env['RANGE_SERVER_SENDFILE'],
        ...environmentOfServer(dataOf(flags)),
        ...env,
      },
      stdio: ['ignore', stdout, stderr],
    })
    this.child.stdout?.on('data', (chunk) => {
      this.#stdout += chunk
    })
    this.child.stderr?.on('data', (chunk) => {
      this.#stderr += chunk
    })
    this.exited = once(this.child, 'close').then(([code]) => ({
      code: code as number | null,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }))
  }

  get stderr(): string {
    return this.#stderr
  }

  /** The first line of standard output: its URL. */
  async url(): Promise<string> {
    while (!this.#stdout.includes('\n')) {
      const ended = await Promise.race([
        once(this.child.stdout ?? this.child, 'data').then(() => null),
        this.exited,
      ])
      if (ended !== null) throw new Error(`The server exited with ${ended.code}: ${ended.stderr}`)
    }
    return this.#stdout.slice(0, this.#stdout.indexOf('\n'))
  }

  /** Ends it as an operator would. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.child.kill(signal === 'SIGKILL' ? KILL : signal)
    return this.exited
  }
}

function dataOf(flags: readonly string[]): string {
  return flags[flags.indexOf('--data') + 1] ?? ''
}
