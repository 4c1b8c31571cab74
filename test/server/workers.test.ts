import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { exchange } from '../support/raw.ts'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { childrenOf, holderOf, isRunning } from '../support/workers.ts'

const PATIENT = { timeout: 15_000 }
/** On a busy machine 10 s may not be enough to finish what is in flight. */
const PATIENT_SHUTDOWN = ['--shutdown-timeout', '1m']
/** More than the buffers of a connection take, so that it is still under way when its reader stops reading. */
const LARGE = randomBytes(30_000_000)

interface Started {
  readonly server: ServerProcess
  readonly url: string
  readonly data: string
  readonly workers: () => Promise<readonly number[]>
}

function run(flags: readonly string[], env?: Record<string, string>): ServerProcess {
  const server = new ServerProcess(flags, env)
  onTestFinished(async () => {
    const workers = await childrenOf(server.child.pid)
    server.child.kill('SIGKILL')
    for (const pid of workers) kill(pid, 'SIGKILL')
    await server.exited
  })
  return server
}

async function start(count: number, flags: readonly string[] = [], env = {}): Promise<Started> {
  const data = await temporaryDirectory()
  const all = [
    '--port',
    '0',
    '--data',
    data,
    '--accept',
    '*/*',
    '--workers',
    String(count),
    ...PATIENT_SHUTDOWN,
    ...flags,
  ]
  const server = run(all, env)
  const url = await server.url()
  return { server, url, data, workers: () => childrenOf(server.child.pid) }
}

function kill(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    process.kill(pid ?? 0, signal)
  } catch {
    // It has ended already.
  }
}

async function put(url: string, key: string, body: Buffer | string): Promise<void> {
  const response = await fetch(`${url}/videos/${key}`, {
    method: 'PUT',
    body: new Uint8Array(Buffer.from(body)),
  })
  expect(response.ok).toBe(true)
}

function open(url: string, request: string): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {})
  onTestFinished(() => void socket.destroy())
  socket.write(request)
  return socket
}

/** A download that has begun and whose reader has stopped reading for now. */
async function slowDownload(url: string): Promise<{ socket: Socket; rest(): Promise<Buffer> }> {
  const socket = open(url, 'GET /videos/large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  const [first] = await once(socket, 'data')
  socket.pause()
  const chunks: Buffer[] = [first]
  return {
    socket,
    rest: async () => {
      socket.on('data', (chunk: Buffer) => chunks.push(chunk))
      socket.resume()
      await once(socket, 'close')
      const all = Buffer.concat(chunks)
      return all.subarray(all.indexOf('\r\n\r\n') + 4)
    },
  }
}

const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** One request on a connection of its own, as round-robin gives each to another worker. */
async function ask(url: string, target: string): Promise<string> {
  return exchange(url, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
}

/** Returns the workers that have answered requests, by the log. They write its lines a few times a second, so poll this. */
function answeredBy({ stderr }: ServerProcess, path: string): ReadonlySet<number> {
  const lines = stderr.split('\n').filter((line) => line.includes(`"path":"${path}"`))
  return new Set(lines.map((line) => JSON.parse(line).pid))
}

describe('--workers', () => {
  it('3 prints the URL once, when all 3 accept requests, and nothing of the workers', async () => {
    // One is slower than the others, and one has something to say.
    const code =
      "cluster.worker.id === 2 ? await new Promise((go) => setTimeout(go, 1000)) : console.log('noise')"
    const { server, url, workers } = await start(3, [], await firstIn(code))
    const pids = await workers()
    expect(pids).toHaveLength(3)
    for (let i = 0; i < 6; i++) expect(await ask(url, '/healthz')).toContain('200 OK')
    await expect.poll(() => answeredBy(server, '/healthz')).toEqual(new Set(pids))
    const { stdout, stderr, code: exitCode } = await server.stop()
    expect(stderr).toContain('noise')
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\n(?: {2}\w+ +\S.*\n){4}$/)
    expect(stdout).toMatch(/ {2}workers {2}3\n/)
    expect(exitCode).toBe(0)
  })

  it('1 is one process', async () => {
    const { workers, server } = await start(1)
    expect(await workers()).toEqual([])
    expect((await server.stop()).stdout).not.toContain('workers')
  })

  it('says in one line that the port is taken, and exits 1', async () => {
    const blocker = createServer().listen(0, '127.0.0.1')
    await once(blocker, 'listening')
    onTestFinished(() => void blocker.close())
    const { port } = blocker.address() as { port: number }
    const flags = ['--port', String(port), '--data', await temporaryDirectory(), '--workers', '2']
    const { code, stdout, stderr } = await run(flags).exited
    expect(stderr).toMatch(new RegExp(`^127\\.0\\.0\\.1:${port} is taken.*\\n$`))
    expect(stdout).toBe('')
    expect(code).toBe(1)
  })

  it('says in one line that the directory cannot be used, and exits 2', async () => {
    const flags = ['--port', '0', '--data', '/sys/koa-range/data', '--workers', '2']
    const { code, stderr } = await run(flags).exited
    expect(stderr).toMatch(/^--data cannot be used: .*\n$/)
    expect(code).toBe(2)
  })
})

describe('what is written through one worker', () => {
  it('is read, listed, replaced and deleted in all of them at once', async () => {
    const { server, url, workers } = await start(3, ['--log-level', 'info'])
    const each = async (path: string) => Promise.all(Array.from({ length: 12 }, () => ask(url, path)))
    for (let round = 0; round < 5; round++) {
      await put(url, 'a', `content ${round}`)
      for (const answer of await each('/videos/a')) expect(answer).toMatch(new RegExp(`content ${round}$`))
      for (const answer of await each('/videos')) expect(answer).toContain('"key":"a"')
      await fetch(`${url}/videos/a`, { method: 'DELETE' })
      for (const answer of await each('/videos/a')) expect(answer).toContain('404 Not Found')
      for (const answer of await each('/videos')) expect(answer).not.toContain('"key":"a"')
    }
    await expect.poll(() => answeredBy(server, '/videos')).toEqual(new Set(await workers()))
    await expect.poll(() => answeredBy(server, '/videos/a')).toEqual(new Set(await workers()))
  })
})

describe('60 racers through all workers', () => {
  it('for one key with If-None-Match: * have one winner', async () => {
    const { server, url, workers } = await start(3)
    const race = async (racer: number) => {
      const head = `PUT /videos/a HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: *\r\nConnection: close\r\n`
      const answer = await exchange(url, `${head}Content-Length: 2\r\n\r\n${racer + 10}`)
      return answer.slice(9, 12)
    }
    const statuses = await Promise.all(Array.from({ length: 60 }, (_, racer) => race(racer)))
    expect(statuses.toSorted()).toEqual(['201', ...Array(59).fill('412')])
    await expect.poll(() => answeredBy(server, '/videos/a')).toEqual(new Set(await workers()))
  })
})

describe('a worker that is killed', () => {
  it('is replaced on the same port, and a download through another worker continues', async () => {
    const { server, url, workers } = await start(2)
    await put(url, 'large', LARGE)
    const download = await slowDownload(url)
    const before = await workers()
    const holder = await holderOf(download.socket, before)
    expect(before).toContain(holder)
    const victim = before.find((pid) => pid !== holder)
    kill(victim, 'SIGKILL')
    await expect
      .poll(async () => (await workers()).filter((pid) => !before.includes(pid)), PATIENT)
      .toHaveLength(1)
    const [replacement = 0] = (await workers()).filter((pid) => !before.includes(pid))
    await expect
      .poll(async () => {
        await ask(url, '/healthz')
        return answeredBy(server, '/healthz')
      }, PATIENT)
      .toContain(replacement)
    expect(digestOf(await download.rest())).toBe(digestOf(LARGE))
    const line = server.stderr.split('\n').find((text) => text.includes(`"pid":${victim},"code"`))
    expect(JSON.parse(line ?? '')).toMatchObject({ level: 50, signal: 'SIGKILL' })
  })

  it('with all others comes back on the same port', async () => {
    const { url, workers } = await start(3)
    for (let round = 0; round < 3; round++) {
      const before = await workers()
      for (const pid of before) kill(pid, 'SIGKILL')
      await expect
        .poll(async () => (await workers()).filter((pid) => !before.includes(pid)), PATIENT)
        .toHaveLength(3)
      await expect.poll(() => ask(url, '/healthz').catch(() => ''), PATIENT).toContain('200 OK')
    }
  })

  it('releases the slot of its upload, whose bytes are removed', async () => {
    const { url, data, workers } = await start(2, ['--max-concurrent-uploads', '1'])
    const upload = open(url, 'PUT /videos/b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nbegin')
    const staged = async () => (await readdir(join(data, 'staging'))).length
    await expect.poll(staged, PATIENT).toBeGreaterThan(0)
    expect((await fetch(`${url}/videos/c`, { method: 'PUT', body: 'x' })).status).toBe(503)
    kill(await holderOf(upload, await workers()), 'SIGKILL')
    await expect
      .poll(async () => (await fetch(`${url}/videos/c`, { method: 'PUT', body: 'x' })).status, PATIENT)
      .toBe(201)
    await expect.poll(staged, PATIENT).toBe(0)
  })
})

describe('--max-concurrent-uploads', () => {
  it('gives an address its share of all workers together', async () => {
    const { url, workers } = await start(3, ['--max-concurrent-uploads', '8'])
    const begin = (key: number) =>
      open(url, `PUT /videos/${key} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n01234`)
    const begun = [begin(1)]
    await new Promise((resolve) => setTimeout(resolve, 100))
    begun.push(begin(2))
    await new Promise((resolve) => setTimeout(resolve, 300))
    const pids = await workers()
    const [one, two] = await Promise.all(begun.map((socket) => holderOf(socket, pids)))
    expect(one).not.toBe(two)
    const request =
      'PUT /videos/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx'
    const statuses = async (localAddress?: string) =>
      Promise.all(
        Array.from({ length: 6 }, async () => (await exchange(url, request, localAddress)).slice(9, 12)),
      )
    expect(await statuses()).toEqual(Array(6).fill('503'))
    expect(await statuses('127.0.0.2')).toContain('201')
    for (const socket of begun) {
      socket.write('56789')
      expect(String(await once(socket, 'data'))).toContain('201 Created')
    }
    expect((await statuses()).join()).toMatch(/20[01]/)
  })
})

describe('a worker with an unhandled error', () => {
  it('finishes what is in flight, says what it was, and is replaced', async () => {
    const preload = await firstIn("process.on('SIGUSR2', () => { throw new Error('thrown by a test') })")
    const { server, url, workers } = await start(2, [], preload)
    await put(url, 'large', LARGE)
    const download = await slowDownload(url)
    const before = await workers()
    const victim = await holderOf(download.socket, before)
    kill(victim, 'SIGUSR2')
    await expect.poll(() => server.stderr, PATIENT).toContain('Error: thrown by a test')
    expect(digestOf(await download.rest())).toBe(digestOf(LARGE))
    await expect
      .poll(async () => (await workers()).filter((pid) => !before.includes(pid)), PATIENT)
      .toHaveLength(1)
    expect(server.stderr).toContain(`"pid":${victim},"code":1`)
  })
})

/** Environment that makes each worker run `code` first. */
async function firstIn(code: string): Promise<Record<string, string>> {
  const path = join(await temporaryDirectory(), 'preload.mjs')
  await writeFile(path, `import cluster from 'node:cluster'\nif (cluster.isWorker) { ${code} }\n`)
  return { NODE_OPTIONS: `--import ${pathToFileURL(path)}` }
}

describe('workers that end at once', () => {
  it('from the beginning end the server with 1 and one line', async () => {
    const flags = [
      '--port',
      '0',
      '--data',
      await temporaryDirectory(),
      '--workers',
      '2',
      '--log-level',
      'silent',
    ]
    const { code, stdout, stderr } = await run(flags, await firstIn('process.exit(3)')).exited
    expect(stderr).toBe('No worker could start: the last one ended with 3.\n')
    expect(stdout).toBe('')
    expect(code).toBe(1)
  })

  it('later are started again after longer and longer, until they live', async () => {
    const broken = join(await temporaryDirectory(), 'broken')
    const code = `const { existsSync } = await import('node:fs'); if (existsSync(${JSON.stringify(broken)})) process.exit(3)`
    const { server, url, workers } = await start(2, [], await firstIn(code))
    await writeFile(broken, '')
    const [victim] = await workers()
    kill(victim, 'SIGKILL')
    const ends = () =>
      [...server.stderr.matchAll(/"time":(\d+),"pid":\d+,"code":3,"signal":null,"delay":(\d+)/g)].map(
        ([, time, delay]) => ({ time: Number(time), delay: Number(delay) }),
      )
    await expect.poll(() => ends().length, PATIENT).toBeGreaterThanOrEqual(4)
    for (const [i, { time, delay }] of ends().entries()) {
      const before = ends()[i - 1]
      if (before === undefined) continue
      expect(delay).toBe(before.delay * 2)
      expect(time - before.time).toBeGreaterThanOrEqual(before.delay - 1)
    }
    expect(await ask(url, '/healthz')).toContain('200 OK')
    await rm(broken)
    await expect
      .poll(async () => {
        await ask(url, '/healthz')
        return answeredBy(server, '/healthz').size
      }, PATIENT)
      .toBe(2)
  })

  it('and whose port another process has taken meanwhile end the server with 1 and report it', async () => {
    const { server, url, workers } = await start(2, ['--log-level', 'silent'])
    const port = Number(new URL(url).port)
    const thief = createServer()
    onTestFinished(() => void thief.close())
    const steal = () => thief.listen(port, '127.0.0.1')
    thief.on('error', () => setTimeout(steal, 1))
    for (const pid of await workers()) kill(pid, 'SIGKILL')
    steal()
    const { code, stderr } = await server.exited
    expect(stderr).toMatch(new RegExp(`^127\\.0\\.0\\.1:${port} is taken.*\\n$`))
    expect(code).toBe(1)
  })
})

describe('shutdown of workers', () => {
  /** Downloads under way, until each worker has at least one. */
  async function downloads({ url, workers }: Started) {
    await put(url, 'large', LARGE)
    const begun = await Promise.all(Array.from({ length: 6 }, () => slowDownload(url)))
    const pids = await workers()
    const holders = await Promise.all(begun.map(({ socket }) => holderOf(socket, pids)))
    expect(new Set(holders)).toEqual(new Set(pids))
    return { begun, pids }
  }

  async function allWhole(begun: readonly { rest(): Promise<Buffer> }[]): Promise<void> {
    const bodies = await Promise.all(begun.map(({ rest }) => rest()))
    for (const body of bodies) expect(digestOf(body)).toBe(digestOf(LARGE))
  }

  async function refuses(url: string): Promise<void> {
    await expect
      .poll(
        () =>
          ask(url, '/healthz').then(
            () => 'answered',
            () => 'refused',
          ),
        PATIENT,
      )
      .toBe('refused')
  }

  it.each([
    ['SIGTERM to the primary', 'SIGTERM', false],
    ['SIGINT to all, as a terminal sends it', 'SIGINT', true],
    ['SIGTERM to all, as systemd sends it', 'SIGTERM', true],
  ] as const)('on %s finishes what is in flight, exits 0 and leaves no process', async (_, signal, toAll) => {
    const started = await start(2)
    const { server, url, data } = started
    const { begun, pids } = await downloads(started)
    const upload = open(url, 'PUT /videos/b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n01234')
    await expect.poll(async () => (await readdir(join(data, 'staging'))).length, PATIENT).toBeGreaterThan(0)
    if (toAll) for (const pid of pids) kill(pid, signal)
    server.child.kill(signal)
    await refuses(url)
    upload.write('56789')
    expect(String(await once(upload, 'data'))).toContain('201 Created')
    await allWhole(begun)
    expect((await server.exited).code).toBe(0)
    for (const pid of pids) await expect.poll(() => isRunning(pid), PATIENT).toBe(false)
    expect(server.stderr).not.toMatch(/"level":50|Error/)
  })

  it('leaves no connection without an answer or an end that came just then', async () => {
    const started = await start(2, ['--shutdown-timeout', '1m'])
    const { server, url } = started
    const { begun } = await downloads(started)
    const asked: Promise<string>[] = []
    for (let i = 0; i < 100; i++) {
      if (i === 50) server.child.kill('SIGTERM')
      asked.push(ask(url, '/healthz').catch(({ message }) => message))
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (const answer of await Promise.all(asked)) expect(answer).toMatch(/^$|200 OK|ECONNRE/)
    await allWhole(begun)
    expect((await server.exited).code).toBe(0)
  })

  it('at a second signal ends at once and leaves no process', async () => {
    const started = await start(2, ['--shutdown-timeout', '10m'])
    const { server, url } = started
    const { pids } = await downloads(started)
    server.child.kill('SIGTERM')
    await refuses(url)
    server.child.kill('SIGTERM')
    expect((await server.exited).code).toBe(143)
    for (const pid of pids) await expect.poll(() => isRunning(pid), PATIENT).toBe(false)
  })

  it('does not wait for readers, nor for a worker that is stopped, beyond --shutdown-timeout', async () => {
    const started = await start(2, ['--shutdown-timeout', '300ms'])
    const { pids } = await downloads(started)
    kill(pids[0], 'SIGSTOP')
    expect((await started.server.stop()).code).toBe(0)
    for (const pid of pids) await expect.poll(() => isRunning(pid), PATIENT).toBe(false)
  })

  it('of a primary that is killed lets workers finish what is in flight and end', async () => {
    const started = await start(2)
    const { server, url } = started
    const { begun, pids } = await downloads(started)
    server.child.kill('SIGKILL')
    await refuses(url)
    await allWhole(begun)
    for (const pid of pids) await expect.poll(() => isRunning(pid), PATIENT).toBe(false)
  })

  it('of one worker by SIGTERM finishes what it has in flight, and another one takes its place', async () => {
    const started = await start(2)
    const { begun, pids } = await downloads(started)
    kill(pids[0], 'SIGTERM')
    await allWhole(begun)
    await expect
      .poll(async () => (await started.workers()).filter((pid) => !pids.includes(pid)), PATIENT)
      .toHaveLength(1)
    expect(await ask(started.url, '/healthz')).toContain('200 OK')
  })
})
