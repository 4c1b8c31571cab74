import { createHash, randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { failureIn, type RunningServer, startServer } from './server.ts'
import { type Answer, upload, WAYS, type Way } from './uploads.ts'

const MEBIBYTE = 1024 ** 2

/** In ms; the server closes a file that nobody reads any more within one second. */
const RELEASED_AFTER = 1500

/** What came of filling a disk. */
export interface FullDisk {
  /** Uploads acknowledged, and their bytes. */
  readonly stored: number
  readonly size: number
  /** Uploads refused with 507, per way of sending. */
  readonly refused: Readonly<Record<Way, number>>
  /** Stored objects that were read back whole, when the disk was full and again after deletes. */
  readonly readBack: number
  readonly faults: readonly string[]
}

/**
 * Uploads through a real server into `directory` until nothing more goes in, reads everything back, deletes
 * half of it and uploads again.
 *
 * @param sizes of uploads in bytes; the next is used when every way of sending has been refused with the one before
 */
export async function fillDisk(
  directory: string,
  sizes: readonly number[] = [900 * 1024, 65536],
): Promise<FullDisk> {
  const data = join(directory, 'data')
  const server = await startServer(data)
  const filling = new Filling(server)
  try {
    for (const size of sizes) await filling.fill(size)
    await filling.readAll()
    await filling.makeRoom(sizes[0] ?? 0)
    await filling.readAll()
    const staged = readdirSync(join(data, 'staging'))
    if (staged.length > 0) filling.faults.push(`${staged} is left of refused uploads`)
  } finally {
    const { code, stderr } = await server.stop()
    if (code !== 0) filling.faults.push(`the server ended with ${code}: ${stderr}`)
    const failure = failureIn(stderr)
    if (failure !== undefined && !failure.includes('NO_SPACE')) filling.faults.push(`it logged ${failure}`)
  }
  return filling
}

class Filling implements FullDisk {
  readonly #server: RunningServer
  /** Digests of what has been acknowledged, by key. */
  readonly #digests = new Map<string, string>()
  readonly refused: Record<Way, number> = { put: 0, 'put chunked': 0, form: 0, 'form chunked': 0 }
  readonly faults: string[] = []
  stored = 0
  size = 0
  readBack = 0
  #keys = 0

  constructor(server: RunningServer) {
    this.#server = server
  }

  /** Uploads objects of `size` bytes in every way, all at the same time, until each way has been refused. */
  async fill(size: number): Promise<void> {
    const fillBy = async (way: Way) => {
      while (await this.#upload(way, size));
    }
    await Promise.all(WAYS.map(fillBy))
  }

  /** Resolves to whether it was stored; every other answer than 507 is a fault. */
  async #upload(way: Way, size: number): Promise<boolean> {
    const key = `object-${++this.#keys}`
    const bytes = randomBytes(size)
    const answer = await upload(this.#server.url, way, key, bytes).catch((error: Error) => error)
    if (answer instanceof Error) {
      this.faults.push(`${way} of ${size} bytes got no answer: ${answer}`)
      return false
    }
    if (answer.status === 201) {
      this.#digests.set(key, sha256(bytes))
      this.stored++
      this.size += size
      return true
    }
    this.refused[way]++
    if (!isFullProblem(answer)) this.faults.push(`${way} of ${size} bytes: ${answer.status} ${answer.body}`)
    return false
  }

  async readAll(): Promise<void> {
    for (const [key, digest] of this.#digests) {
      const response = await fetch(`${this.#server.url}/videos/${key}`)
      const found = sha256(Buffer.from(await response.arrayBuffer()))
      if (response.status === 200 && found === digest) this.readBack++
      else this.faults.push(`${key} came back with ${response.status} and digest ${found}, not ${digest}`)
    }
  }

  /** Deletes every second object; then an upload goes in again in every way. */
  async makeRoom(size: number): Promise<void> {
    for (const key of [...this.#digests.keys()].filter((_, index) => index % 2 === 0)) {
      const { status } = await fetch(`${this.#server.url}/videos/${key}`, { method: 'DELETE' })
      if (status !== 204) this.faults.push(`the delete of ${key} was answered with ${status}`)
      this.#digests.delete(key)
    }
    // What was read back a moment ago is still open, and has its space.
    await delay(RELEASED_AFTER)
    for (const way of WAYS)
      if (!(await this.#upload(way, size))) this.faults.push(`${way} does not go in after deletes`)
  }
}

/** RFC 9457. */
function isFullProblem({ status, type, body }: Answer): boolean {
  if (status !== 507 || !type.startsWith('application/problem+json')) return false
  const problem = JSON.parse(body) as { readonly status?: unknown; readonly title?: unknown }
  return problem.status === 507 && typeof problem.title === 'string'
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** For people, with a line for each fault. */
export function describeFullDisk({ stored, size, refused, readBack, faults }: FullDisk): string {
  const ways = WAYS.map((way) => `${way} ${refused[way]}`).join(', ')
  const counts = `${stored} uploads stored, ${(size / MEBIBYTE).toFixed(1)} MiB; 507 for ${ways}`
  return [`${counts}; ${readBack} read back whole; ${faults.length} faults`, ...faults].join('\n    ')
}
