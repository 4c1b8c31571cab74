import { execFile } from 'node:child_process'
import { mkdtemp, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createS3Store, setUpBucket } from 'upload-store/s3'
import { cleanUpAfterwards } from '../support/clean-up.mjs'

// JavaScript, as programs that are compiled elsewhere run it as it is.

// Versions are chosen for this Node.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'

const SCRIPT = join(import.meta.dirname, 'ceph.sh')

/** Ceph on a port and in a directory of its own, both chosen when it is made. */
export class Cluster {
  #environment
  #made = false
  #cleanUp

  constructor(directory, port, store) {
    this.directory = directory
    this.connection = {
      endpoint: `http://127.0.0.1:${port}`,
      bucket: 'tests',
      credentials: { accessKeyId: 'rangetestaccess', secretAccessKey: 'rangetestsecretrangetestsecret' },
    }
    this.#environment = { ...process.env, CEPH_DIR: directory, CEPH_PORT: `${port}`, CEPH_STORE: store }
  }

  static async make(store = 'memstore') {
    return new Cluster(join(await mkdtemp(join(tmpdir(), 'ceph-')), 'c'), await freePort(), store)
  }

  async start() {
    this.#cleanUp ??= cleanUpAfterwards(dirname(this.directory))
    await promisify(execFile)(SCRIPT, ['start'], { env: this.#environment })
    const deadline = Date.now() + 60_000
    for (;;) {
      try {
        await this.#ask()
        break
      } catch (error) {
        if (Date.now() > deadline) throw error
        await sleep(50)
      }
    }
    this.#made = true
  }

  /** Not the bucket after a kill: to change it the gateway waits half a minute for what the dead one had open. */
  async #ask() {
    if (this.#made) await createS3Store(this.connection).list()
    else await setUpBucket(this.connection)
  }

  /** Nothing of it is needed any more, so it has nothing to write down first. */
  async stop() {
    await this.#cleanUp?.()
  }

  async signal(daemon, signal) {
    const pid = Number(await readFile(join(this.directory, 'run', `${daemon}.pid`), 'utf8'))
    process.kill(pid, signal)
    // On a busy machine it lives on for a while, and a start that finds it would leave it at that.
    while (signal === 'SIGKILL' && lives(pid)) await sleep(5)
  }
}

function lives(pid) {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** The first of 20 that a cluster takes. */
async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 500) * 20
    if ((await isFree(port)) && (await isFree(port + 1))) return port
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
