import { onTestFinished } from 'vitest'
import { ServerProcess } from './server.ts'
import { temporaryDirectory } from './temporary.ts'

/** A server that a test kills and starts again with the same address and store, until the test has finished. */
export class RestartableServer {
  readonly #flags: readonly string[]
  #server: ServerProcess
  readonly base: string
  /** The number of kills that have begun. */
  kills = 0

  private constructor(flags: readonly string[], server: ServerProcess, base: string) {
    this.#flags = flags
    this.#server = server
    this.base = base
  }

  static async start(): Promise<RestartableServer> {
    const flags = ['--data', await temporaryDirectory(), '--accept', '*/*']
    const server = new ServerProcess([...flags, '--port', '0'])
    const started = new RestartableServer(flags, server, await server.url())
    onTestFinished(async () => void (await started.#server.stop('SIGKILL')))
    return started
  }

  async killAndRestart(): Promise<void> {
    this.kills++
    await this.#server.stop('SIGKILL')
    this.#server = new ServerProcess([...this.#flags, '--port', new URL(this.base).port])
  }
}
