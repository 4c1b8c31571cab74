import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** How long a server may take to start. */
const START = 15_000

/** A server in a process of its own. */
export class Child {
  readonly #process: ChildProcess
  #stdout = ''
  #stderr = ''

  /** @param home where it may write */
  constructor(command: string, args: readonly string[], home: string) {
    // A zone far from UTC, so that a date that is read as local time shows.
    const env = { PATH: process.env['PATH'], TZ: 'America/New_York', HOME: home, NODE_ENV: 'production' }
    this.#process = spawn(command, args, { env, cwd: home, stdio: 'pipe' })
    this.#process.stdout?.on('data', (chunk) => {
      this.#stdout += chunk
    })
    this.#process.stderr?.on('data', (chunk) => {
      this.#stderr = `${this.#stderr}${chunk}`.slice(-4000)
    })
  }

  /** The URL that it prints as its first line. */
  async printedUrl(): Promise<string> {
    await this.#until(async () => this.#stdout.includes('\n'))
    return this.#stdout.slice(0, this.#stdout.indexOf('\n'))
  }

  /** When it accepts connections there. */
  async listens(port: number): Promise<void> {
    await this.#until(() => accepts(port))
  }

  async #until(ready: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + START
    while (!(await ready())) {
      const { exitCode, signalCode } = this.#process
      if (exitCode !== null || signalCode !== null || Date.now() > deadline) {
        await this.stop()
        throw new Error(`The server did not start (${exitCode ?? signalCode ?? 'too slow'}): ${this.#stderr}`)
      }
      await delay(20)
    }
  }

  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#process
    if (exitCode !== null || signalCode !== null) return
    const gone = once(this.#process, 'exit')
    this.#process.kill()
    await Promise.race([gone, delay(2000)])
    this.#process.kill('SIGKILL')
    await gone
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const outcome = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'close').then(() => false),
  ]).catch(() => false)
  socket.destroy()
  return outcome
}

/** For servers that cannot be asked which port they took. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('No port')
  return address.port
}
