import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exchange } from '../support/raw.ts'
import { ServerProcess } from '../support/server.ts'
import { Prober } from './prober.ts'

/** The most that one upload may have, in all groups. */
export const MAX_FILE_SIZE: number = 1024 ** 2

/** A server in a process of its own, and one that asks it for /healthz all the time. */
export class ProbedServer {
  readonly url: string
  readonly #server: ServerProcess
  readonly #prober: Prober

  private constructor(url: string, server: ServerProcess, prober: Prober) {
    this.url = url
    this.#server = server
    this.#prober = prober
  }

  /** @param directory below which its data lie, in `data` */
  static async start(directory: string, flags: readonly string[]): Promise<ProbedServer> {
    const all = ['--port', '0', '--data', join(directory, 'data'), '--max-file-size', String(MAX_FILE_SIZE)]
    const server = new ServerProcess([...all, ...flags])
    const url = await server.url()
    await warmUp(url)
    return new ProbedServer(url, server, await Prober.start(url))
  }

  /** ms, one a request since the last call. */
  latencies(): Promise<number[]> {
    return this.#prober.latencies()
  }

  get log(): string {
    return this.#server.stderr
  }

  async descriptors(): Promise<number> {
    return (await readdir(`/proc/${this.#server.child.pid}/fd`)).length
  }

  /** The most memory that it ever had, KiB. */
  async peakMemory(): Promise<number> {
    const status = await readFile(`/proc/${this.#server.child.pid}/status`, 'utf8')
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1])
  }

  async stop(): Promise<void> {
    await this.#prober.stop()
    await this.#server.stop('SIGKILL')
  }
}

/** Code that runs for the first time is slow, and what it opens once stays open. */
async function warmUp(url: string): Promise<void> {
  const head = 'Host: 127.0.0.1\r\nConnection: close\r\n'
  for (let round = 0; round < 50; round++) await exchange(url, `GET /healthz HTTP/1.1\r\n${head}\r\n`)
  const form = `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 7\r\n\r\n--b--\r\n`
  for (let round = 0; round < 5; round++) await exchange(url, `POST /video HTTP/1.1\r\n${head}${form}`)
}
