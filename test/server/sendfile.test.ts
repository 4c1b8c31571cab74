import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { exchange } from '../support/raw.ts'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { childrenOf } from '../support/workers.ts'

const SIZE = 6 * 1024 * 1024
const bytes = Buffer.alloc(SIZE)
for (let at = 0; at < SIZE; at += 4) bytes.writeUInt32LE(at, at)

/** Without koffi there is nothing to enable: the tests of the bytes still hold. */
const HAS_KOFFI = process.platform === 'linux'

async function hasLoadedKoffi(pid: number | undefined): Promise<boolean> {
  return (await readFile(`/proc/${pid}/maps`, 'utf8')).includes('koffi')
}

async function start(...flags: readonly string[]) {
  const data = await temporaryDirectory()
  const options = ['--port', '0', '--data', data, '--accept', '*/*', '--log-level', 'error', ...flags]
  const server = new ServerProcess(options)
  onTestFinished(async () => void (await server.stop('SIGKILL')))
  const url = await server.url()
  const put = await fetch(`${url}/videos/clip.bin`, { method: 'PUT', body: bytes })
  expect(put.status).toBe(201)
  return { server, url, video: `${url}/videos/clip.bin` }
}

async function part(url: string, start: number, end: number): Promise<Buffer> {
  const response = await fetch(url, { headers: { Range: `bytes=${start}-${end}` } })
  expect(response.status).toBe(206)
  return Buffer.from(await response.arrayBuffer())
}

async function sentBytes(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^http_sent_bytes_total (\d+)$/m.exec(text)?.[1])
}

describe('a server with --sendfile on', () => {
  it('sends stored videos to the byte, and counts them in /metrics and in what a page sees of its requests', async () => {
    const { server, url, video } = await start('--sendfile', 'on')
    if (HAS_KOFFI) expect(await hasLoadedKoffi(server.child.pid)).toBe(true)
    const before = await sentBytes(url)
    const view = 'abcdefghijklmnopqrstuv'
    const whole = await fetch(`${video}?view=${view}`)
    expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true)
    expect((await part(video, 1_000_001, 3_000_002)).equals(bytes.subarray(1_000_001, 3_000_003))).toBe(true)
    const sent = (await sentBytes(url)) - before
    expect(sent).toBeGreaterThan(SIZE + 2_000_002)
    expect(sent).toBeLessThan(SIZE + 2_000_002 + 20_000)
    const { requests } = await (await fetch(`${url}/requests?view=${view}`)).json()
    expect(requests[0]?.sent).toBeGreaterThan(SIZE)
  })

  it('answers pipelined requests, the last of HTTP/1.0, in their order', async () => {
    const { url } = await start('--sendfile', 'on')
    const ask = (start: number, version: string) =>
      `GET /videos/clip.bin HTTP/${version}\r\nHost: localhost\r\nRange: bytes=${start}-${start + 999_999}\r\n\r\n`
    const answers = await exchange(url, ask(0, '1.1') + ask(5_000_000, '1.1') + ask(77, '1.0'))
    const parts = answers.split(/HTTP\/1\.1 206 [\s\S]*?\r\n\r\n/).slice(1)
    const contents = parts.map((text) => Buffer.from(text, 'latin1'))
    expect(
      [0, 5_000_000, 77].map((start, at) => contents[at]?.equals(bytes.subarray(start, start + 1_000_000))),
    ).toEqual([true, true, true])
  })

  it('sends by every worker', async () => {
    const { server, video } = await start('--sendfile', 'on', '--workers', '2')
    const workers = await childrenOf(server.child.pid)
    if (HAS_KOFFI) expect(await Promise.all(workers.map((pid) => hasLoadedKoffi(pid)))).toEqual([true, true])
    const starts = Array.from({ length: 12 }, (_, index) => index * 400_000)
    await Promise.all(
      starts.map(async (start) => {
        expect(
          (await part(video, start, start + 1_500_000)).equals(bytes.subarray(start, start + 1_500_001)),
        ).toBe(true)
      }),
    )
  })

  it('disconnects a client that takes nothing for --stall-timeout, and no client that reads slowly', async () => {
    const { url, video } = await start('--sendfile', 'on', '--stall-timeout', '1s')
    // More than the sockets between server and client hold.
    await fetch(`${url}/videos/long.bin`, { method: 'PUT', body: Buffer.alloc(32 * 1024 * 1024) })
    const stalled = connect(Number(new URL(url).port), '127.0.0.1').pause()
    onTestFinished(() => void stalled.destroy())
    stalled.write('GET /videos/long.bin HTTP/1.1\r\nHost: localhost\r\n\r\n')
    expect((await readSlowly(video)).equals(bytes)).toBe(true)
    const aborts = async () => {
      const text = await (await fetch(`${url}/metrics`)).text()
      return /^http_request_aborts_total\{route="([^"]*)"\} (\d+)$/m.exec(text)?.slice(1)
    }
    await expect.poll(aborts).toEqual(['/videos/:key', '1'])
  })
})

/** Takes about two seconds for the first half. */
function readSlowly(url: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const asking = request(url, { agent: false }, (response) => {
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        if (chunks.length > SIZE / 2 / 65_536) return
        response.pause()
        setTimeout(() => response.resume(), 40)
      })
      response.on('end', () => resolve(Buffer.concat(chunks))).on('error', reject)
    })
    asking.on('error', reject).end()
  })
}

it('loads no koffi with --sendfile off, and sends the same bytes', async () => {
  const { server, video } = await start('--sendfile', 'off')
  if (HAS_KOFFI) expect(await hasLoadedKoffi(server.child.pid)).toBe(false)
  const whole = await fetch(video)
  expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true)
})
