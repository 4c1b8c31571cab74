import { mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ProbedServer } from './probed-server.ts'

/** How long what a case left behind may take to go, ms. */
const PATIENCE = 8000

/** The most memory that the server may ever have had, KiB. */
const MEMORY = 200 * 1024

/** What /healthz took at the same time, ms. */
export interface Latencies {
  readonly idle: readonly number[]
  readonly busy: readonly number[]
}

/**
 * The server that a group's cases attack, and beside it one that nobody attacks: whatever else keeps the machine busy,
 * it keeps both of them waiting.
 */
export class Target {
  readonly url: string
  /** Of the attacked server alone. */
  readonly directory: string
  readonly #attacked: ProbedServer
  readonly #idle: ProbedServer
  readonly #descriptors: number
  readonly #files: ReadonlySet<string>

  private constructor(attacked: ProbedServer, idle: ProbedServer, directory: string, before: Before) {
    this.#attacked = attacked
    this.#idle = idle
    this.#descriptors = before.descriptors
    this.#files = before.files
    this.url = attacked.url
    this.directory = directory
  }

  static async start(flags: readonly string[]): Promise<Target> {
    const root = await realpath(await mkdtemp(join(tmpdir(), 'koa-range-')))
    const directories = [join(root, 'attacked'), join(root, 'idle')] as const
    for (const directory of directories) await mkdir(directory)
    const [attacked, idle] = await Promise.all([
      ProbedServer.start(directories[0], flags),
      ProbedServer.start(directories[1], flags),
    ])
    const descriptors = await attacked.descriptors()
    const files = new Set(await readdir(directories[0], { recursive: true }))
    const target = new Target(attacked, idle, directories[0], { descriptors, files })
    await target.latencies()
    return target
  }

  /** Of the requests since the last call. */
  async latencies(): Promise<Latencies> {
    const [idle, busy] = await Promise.all([this.#idle.latencies(), this.#attacked.latencies()])
    return { idle, busy }
  }

  /** How many descriptors are open beyond those before the first case. */
  async descriptors(): Promise<number> {
    return (await this.#attacked.descriptors()) - this.#descriptors
  }

  /** Names, without their directories, of everything that was not there before the first case. */
  async newFiles(): Promise<readonly string[]> {
    const paths = await readdir(this.directory, { recursive: true })
    return paths.filter((path) => !this.#files.has(path)).map((path) => basename(path))
  }

  /** Waits for the server to be as clean as before, and tells in words what is not. */
  async remains(): Promise<readonly string[]> {
    const deadline = performance.now() + PATIENCE
    let found = await this.#look()
    while (found.length > 0 && performance.now() < deadline) {
      await delay(100)
      found = await this.#look()
    }
    return found
  }

  async #look(): Promise<readonly string[]> {
    const staged = await readdir(join(this.directory, 'data/staging'))
    const beside = (await readdir(this.directory)).filter((name) => name !== 'data')
    const open = await this.descriptors()
    const peak = await this.#attacked.peakMemory()
    return [
      ...staged.map((name) => `staged: ${name}`),
      ...beside.map((name) => `beside the data: ${name}`),
      ...(open > 0 ? [`${open} descriptors more than before`] : []),
      ...(peak < MEMORY ? [] : [`${peak} KiB of memory`]),
      ...this.#attacked.log.split('\n').filter(isComplaint),
    ]
  }

  async stop(): Promise<void> {
    await Promise.all([this.#attacked.stop(), this.#idle.stop()])
    await rm(dirname(this.directory), { recursive: true, force: true })
  }
}

/** What was there before the first case. */
interface Before {
  readonly descriptors: number
  readonly files: ReadonlySet<string>
}

/** A line of the log at `warn` or above, or one that is no line of the log. */
function isComplaint(line: string): boolean {
  if (line === '') return false
  try {
    return JSON.parse(line).level >= 40
  } catch {
    return true
  }
}
