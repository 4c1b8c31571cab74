import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { childrenOf, holderOf, isRunning } from '../support/workers.ts'

/** More than the buffers of a connection take. */
const LARGE = randomBytes(12_000_000)
const CLIENTS = 12

async function start(workers: string, ...flags: readonly string[]) {
  const data = await temporaryDirectory()
  const all = ['--port', '0', '--data', data, '--accept', '*/*', '--workers', workers, ...flags]
  const server = new ServerProcess(all)
  onTestFinished(async () => {
    const pids = await childrenOf(server.child.pid)
    await server.stop('SIGKILL')
    for (const pid of pids) if (await isRunning(pid)) process.kill(pid, 'SIGKILL')
  })
  const url = await server.url()
  const body = new Uint8Array(LARGE)
  expect((await fetch(`${url}/videos/large`, { method: 'PUT', body })).status).toBe(201)
  return { server, url, data }
}

function open(url: string, head: string): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {})
  onTestFinished(() => void socket.destroy())
  socket.write(`${head}\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
  return socket
}

/** A download whose first bytes are here, and whose client waits with the rest. */
async function download(url: string) {
  const socket = open(url, 'GET /videos/large HTTP/1.1')
  await once(socket, 'readable')
  return { socket, rest: () => bodyOf(socket) }
}

/** An upload of which half is sent. */
function upload(url: string, key: string) {
  const socket = open(url, `PUT /videos/${key} HTTP/1.1\r\nContent-Length: ${LARGE.length}`)
  socket.write(LARGE.subarray(0, LARGE.length / 2))
  return {
    socket,
    rest: () => {
      socket.write(LARGE.subarray(LARGE.length / 2))
      return bodyOf(socket)
    },
  }
}

/** What comes until the connection is closed, without the header section. */
async function bodyOf(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of socket) chunks.push(chunk)
  } catch {
    // A connection that is reset has no more.
  }
  const all = Buffer.concat(chunks)
  return all.subarray(all.indexOf('\r\n\r\n') + 4)
}

/** Clients that are in the middle of something, half of them uploading. */
async function load(url: string, data: string) {
  const uploads = Array.from({ length: CLIENTS / 2 }, (_, i) => upload(url, `new-${i}`))
  await expect.poll(() => stagedIn(data), { timeout: 10_000 }).toBe(uploads.length)
  const downloads = await Promise.all(Array.from({ length: CLIENTS / 2 }, () => download(url)))
  return { uploads, downloads }
}

const stagedIn = async (data: string) =>
  (await readdir(join(data, 'staging'))).filter((name) => name.endsWith('.part')).length

const isRefused = (url: string) =>
  fetch(`${url}/healthz`).then(
    () => false,
    () => true,
  )

describe.each(['1', '2'])('SIGTERM under load, %s process(es)', (workers) => {
  it('lets every request in flight finish, takes no new one, and ends with 0', async () => {
    const { server, url, data } = await start(workers, '--shutdown-timeout', '1m')
    const { uploads, downloads } = await load(url, data)
    const stopped = server.stop()
    await expect.poll(() => isRefused(url)).toBe(true)
    const bodies = await Promise.all(downloads.map(({ rest }) => rest()))
    for (const body of bodies) expect(body.equals(LARGE)).toBe(true)
    const answers = await Promise.all(uploads.map(({ rest }) => rest()))
    for (const answer of answers) expect(JSON.parse(String(answer))).toMatchObject({ size: LARGE.length })
    expect((await stopped).code).toBe(0)
    expect(await stagedIn(data)).toBe(0)
  })

  it('ends what does not finish after --shutdown-timeout', async () => {
    const { server, url, data } = await start(workers, '--shutdown-timeout', '1s')
    await load(url, data)
    const started = performance.now()
    expect((await server.stop()).code).toBe(0)
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

describe.each([
  ['1', 'SIGTERM', 143],
  ['1', 'SIGINT', 130],
  ['2', 'SIGTERM', 143],
] as const)('a second signal, %s process(es)', (workers, signal, code) => {
  it(`${signal} ends at once with ${code}`, async () => {
    const { server, url } = await start(workers, '--shutdown-timeout', '1m')
    await download(url)
    const pids = await childrenOf(server.child.pid)
    server.child.kill('SIGTERM')
    await expect.poll(() => isRefused(url)).toBe(true)
    const started = performance.now()
    expect((await server.stop(signal)).code).toBe(code)
    expect(performance.now() - started).toBeLessThan(2000)
    for (const pid of pids) await expect.poll(() => isRunning(pid)).toBe(false)
  })
})

describe('a worker that is killed under load', () => {
  it('takes only its own requests with it, and another one takes its place', async () => {
    const { server, url, data } = await start('2')
    const { uploads, downloads } = await load(url, data)
    const [victim = 0, ...others] = await childrenOf(server.child.pid)
    const pids = [victim, ...others]
    const clients = [...uploads, ...downloads]
    const holders = await Promise.all(clients.map(({ socket }) => holderOf(socket, pids)))
    expect(new Set(holders)).toEqual(new Set(pids))
    process.kill(victim, 'SIGKILL')
    await expect.poll(() => isRunning(victim)).toBe(false)
    const bodies = await Promise.all(clients.map(({ rest }) => rest()))
    bodies.forEach((body, at) => {
      const whole = at < uploads.length ? String(body).includes(`"size":${LARGE.length}`) : body.equals(LARGE)
      expect([at, whole]).toEqual([at, holders[at] !== victim])
    })
    await expect.poll(async () => (await childrenOf(server.child.pid)).length, { timeout: 10_000 }).toBe(2)
    await expect.poll(() => stagedIn(data), { timeout: 10_000 }).toBe(0)
    expect((await server.stop()).code).toBe(0)
  })
})
