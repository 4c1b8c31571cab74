import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { askAll } from '../src/ranges/clients/ask.ts'
import { runNodeClient } from '../src/ranges/clients/node-client.ts'
import { SlowReader } from '../src/ranges/clients/slow-reader.ts'

const content = randomBytes(1 << 20)
const closing: (() => void)[] = []

afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  closing.push(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function serve(bytes: Buffer): RequestListener {
  return (request, response) => {
    const [, start, end] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
    const last = end === '' || end === undefined ? bytes.length - 1 : Number(end)
    const body = bytes.subarray(Number(start), last + 1)
    const contentRange = `bytes ${start}-${last}/${bytes.length}`
    response.writeHead(206, { 'Content-Range': contentRange, 'Content-Length': body.length })
    response.end(body)
  }
}

const source = (port: number) => ({
  port,
  path: '/',
  size: content.length,
  read: (start: number, length: number) => content.subarray(start, start + length),
})

function slowReader(port: number, start: number): SlowReader {
  const reader = new SlowReader(source(port), start)
  closing.push(() => reader.stop())
  return reader
}

describe('SlowReader', () => {
  it('takes no more than it is allowed, but for a chunk', async () => {
    const reader = slowReader(await listen(serve(content)), 1000)
    await reader.started
    await setTimeout(200)
    expect(reader.received).toBeLessThanOrEqual(2 * 65_536)
    const before = reader.received
    for (let turn = 0; turn < 4; turn++) {
      reader.allow(65_536)
      await setTimeout(50)
    }
    expect(reader.received).toBeGreaterThan(before)
    expect(reader.received).toBeLessThanOrEqual(6 * 65_536)
    expect(reader.fault).toBeNull()
  })

  it('reports a byte that is not the file’s', async () => {
    const wrong = Buffer.from(content)
    wrong[500_000] = (wrong[500_000] ?? 0) ^ 1
    const reader = slowReader(await listen(serve(wrong)), 1000)
    reader.allow(content.length)
    while (reader.fault === null) await setTimeout(10)
    expect(reader.fault).toMatch(/^wrong bytes between/)
  })

  it('reports an answer that is not the range it asked for', async () => {
    const reader = slowReader(await listen((_, response) => response.end('whole')), 1000)
    await reader.started
    expect(reader.fault).toContain('200 OK')
  })

  it('counts allowances that come before the last one was used up', async () => {
    const port = await listen((_, response) => {
      const contentRange = `bytes 0-${content.length - 1}/${content.length}`
      response.writeHead(206, { 'Content-Range': contentRange, 'Content-Length': content.length })
      response.write(content.subarray(0, 10))
    })
    const reader = slowReader(port, 0)
    await reader.started
    for (let turn = 0; turn < 3; turn++) reader.allow(65_536)
    expect(reader.late).toBe(2)
  })
})

describe('runNodeClient', () => {
  const request = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=10-1009\r\n\r\n')
  const load = { requests: [request], method: 'GET', connections: 4 } as const

  it('stops after the requested number of answers', async () => {
    const port = await listen(serve(content))
    const totals = await runNodeClient({ ...load, port, answers: 50, milliseconds: 20_000 })
    expect(totals.answers).toBe(50)
    expect(totals.bytes).toBeGreaterThan(50 * 1000)
  })

  it('stops when the time is up', async () => {
    const port = await listen(() => undefined)
    const totals = await runNodeClient({ ...load, port, answers: 50, milliseconds: 100 })
    expect(totals.answers).toBe(0)
  })

  it('fails for an answer that refuses, and for a connection that breaks', async () => {
    const refusing = await listen((_, response) => response.writeHead(404, { 'Content-Length': 0 }).end())
    const breaking = await listen((asked) => asked.socket.destroy())
    for (const port of [refusing, breaking]) {
      await expect(runNodeClient({ ...load, port, answers: 9, milliseconds: 20_000 })).rejects.toThrow()
    }
  })
})

describe('askAll', () => {
  it('gives the answers in the order of the questions', async () => {
    const port = await listen(serve(content))
    const questions = Array.from({ length: 40 }, (_, at) => ({
      method: 'GET' as const,
      field: `Range: bytes=${at * 1000}-${at * 1000 + at}`,
      longest: at + 1,
    }))
    const answers = await askAll(new URL(`http://127.0.0.1:${port}/`), questions)
    answers.forEach(({ status, body }, at) => {
      expect(status).toBe(206)
      expect(body.equals(content.subarray(at * 1000, at * 1000 + at + 1))).toBe(true)
    })
  })

  it('reads no more of an answer than a right one may have', async () => {
    const port = await listen(serve(content))
    const url = new URL(`http://127.0.0.1:${port}/`)
    const [answer] = await askAll(url, [{ method: 'GET', field: 'Range: bytes=0-', longest: 10 }])
    expect(answer?.body.length).toBeLessThan(content.length)
    expect(answer?.body.length).toBeGreaterThan(10)
  })
})
