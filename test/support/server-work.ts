import { mkdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { ServerProcess } from './server.ts'
import { temporaryDirectory } from './temporary.ts'

/** What a process has done: calls of the file system, and promises. */
export interface Work {
  readonly promises: number
  readonly opens: number
  /** Hard links, symbolic links and removed names. */
  readonly links: number
  readonly flushes: number
  readonly stats: number
  readonly statfs: number
}

const NONE: Work = { promises: 0, opens: 0, links: 0, flushes: 0, stats: 0, statfs: 0 }

/** A server in a process of its own that counts what it does, until the test has finished. */
export class CountingServer {
  readonly url: string
  readonly #socket: string

  private constructor(url: string, socket: string) {
    this.url = url
    this.#socket = socket
  }

  static start(...flags: string[]): Promise<CountingServer> {
    return CountingServer.startOn(async () => {}, ...flags)
  }

  /** @param prepare puts files into the folder of the store before the server starts */
  static async startOn(
    prepare: (data: string) => Promise<void>,
    ...flags: string[]
  ): Promise<CountingServer> {
    const directory = await temporaryDirectory()
    const socket = join(directory, 'work')
    const data = join(directory, 'data')
    await makeShards(data)
    await prepare(data)
    const preload = fileURLToPath(new URL('count-work.mjs', import.meta.url))
    const all = ['--port', '0', '--data', data, '--accept', '*/*', ...flags]
    const server = new ServerProcess(all, { WORK_SOCKET: socket, NODE_OPTIONS: `--import=${preload}` })
    onTestFinished(async () => void (await server.stop('SIGKILL')))
    return new CountingServer(await server.url(), socket)
  }

  /** The work of the server while it answers the requests of `task`. */
  async during(task: () => Promise<unknown>): Promise<Work> {
    await this.#read()
    await task()
    return this.#read()
  }

  async #read(): Promise<Work> {
    return { ...NONE, ...JSON.parse(await text(connect(this.#socket))) }
  }
}

/** Makes the folders that a store makes in its first hundreds of uploads. */
async function makeShards(data: string): Promise<void> {
  const names = Array.from({ length: 256 }, (_, number) => number.toString(16).padStart(2, '0'))
  for (const kind of ['blobs', 'digests', 'records'])
    await Promise.all(names.map((name) => mkdir(join(data, kind, name), { recursive: true })))
}
