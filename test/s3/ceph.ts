import { execFile, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { UploadStore } from 'upload-store'
import { createS3Store, type S3StoreOptions, setUpBucket } from 'upload-store/s3'
import { afterAll, beforeAll } from 'vitest'

const SCRIPT = join(import.meta.dirname, 'ceph.sh')

/** What a test file needs to be run, by Debian's names. */
export const CEPH = ['ceph-mon', 'ceph-osd', 'radosgw'] as const

/** A cluster of its own for a test file: it may be killed without harm to others. */
export class Ceph {
  #environment: Record<string, string> = {}
  #directory = ''
  #endpoint = ''
  #made = false

  /** Starts it before the tests of this file, and ends it behind them. */
  constructor(store: 'memstore' | 'bluestore' = 'memstore') {
    const stop = () => spawnSync(SCRIPT, ['stop'], { env: { ...process.env, ...this.#environment } })
    beforeAll(async () => {
      this.#directory = await mkdtemp(join(tmpdir(), 'ceph-'))
      const port = await freePort()
      this.#endpoint = `http://127.0.0.1:${port}`
      this.#environment = { CEPH_DIR: this.#directory, CEPH_PORT: `${port}`, CEPH_STORE: store }
      process.once('exit', stop)
      await this.start()
    }, 120_000)
    afterAll(() => {
      process.off('exit', stop)
      stop()
    })
  }

  /** Where the bucket of these tests is. */
  get connection() {
    const credentials = { accessKeyId: 'rangetestaccess', secretAccessKey: 'rangetestsecretrangetestsecret' }
    return { endpoint: this.#endpoint, bucket: 'tests', credentials }
  }

  /** A store with nothing in it, unless the options name a prefix. */
  open(options: Partial<S3StoreOptions> = {}): UploadStore {
    return createS3Store({ ...this.connection, prefix: `${randomUUID()}/`, ...options })
  }

  /** Starts what does not run, and waits until it answers. */
  async start(): Promise<void> {
    await promisify(execFile)(SCRIPT, ['start'], { env: { ...process.env, ...this.#environment } })
    // Not after a kill: to change a bucket the gateway waits half a minute for what the dead one had open.
    const ask = async () => (this.#made ? void (await this.open().list()) : setUpBucket(this.connection))
    const deadline = Date.now() + 60_000
    while (
      !(await ask().then(
        () => true,
        (error) => Date.now() > deadline && Promise.reject(error),
      ))
    ) {
      await sleep(50)
    }
    this.#made = true
  }

  async signal(daemon: 'client.rgw.a' | 'osd.0', signal: NodeJS.Signals): Promise<void> {
    process.kill(Number(await readFile(join(this.#directory, 'run', `${daemon}.pid`), 'utf8')), signal)
  }
}

/** The first of 20 that a cluster takes. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 500) * 20
    if ((await isFree(port)) && (await isFree(port + 1))) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
