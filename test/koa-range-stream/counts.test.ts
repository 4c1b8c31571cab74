import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import http from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import Koa from 'koa'
import conditional from 'koa-conditional-get'
import { fileContent, serveContent } from 'koa-range-stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { patterned, settledFile, temporaryDirectory } from './files.ts'

/** `ABORTS=10000 npx vitest run test/koa-range-stream/counts.test.ts` for the long run. */
const ABORTS = Number(process.env['ABORTS'] ?? 1000)
const SIZE = 5_000_000

async function countingServer() {
  const path = await settledFile(await temporaryDirectory(), 'clip.mp4', patterned(SIZE))
  const counts = { opened: 0, errors: [] as (Error & { code?: string })[] }
  const app = new Koa()
  app.on('error', (error) => counts.errors.push(error))
  app.use(conditional()).use(async (ctx) => {
    const content = await fileContent(path)
    if (content === null) return
    const stream: typeof content.stream = (range) => {
      counts.opened++
      return content.stream(range)
    }
    await serveContent(ctx, { ...content, stream })
  })
  const server = http.createServer(app.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 })
  onTestFinished(() => agent.destroy())
  return { port: (server.address() as AddressInfo).port, agent, counts }
}

const descriptors = async () => (await readdir('/proc/self/fd')).length

describe('descriptors and errors', () => {
  it('opens nothing for 1000 each of 304, HEAD, 412 and 416', async () => {
    const { port, agent, counts } = await countingServer()
    const ask = async (method: string, headers: http.OutgoingHttpHeaders): Promise<http.IncomingMessage> => {
      const request = http.request({ host: '127.0.0.1', port, agent, method, headers }).end()
      const [response] = await once(request, 'response')
      response.resume()
      await once(response, 'end')
      return response
    }
    const etag = (await ask('HEAD', {})).headers.etag
    const kinds = [
      ['GET', { 'if-none-match': etag }, 304],
      ['HEAD', { range: 'bytes=0-1' }, 200],
      ['GET', { 'if-match': '"other"' }, 412],
      ['GET', { range: `bytes=${SIZE}-` }, 416],
    ] as const
    const before = await descriptors()
    const asked = kinds.flatMap(([method, headers, status]) =>
      Array.from({ length: 1000 }, async () => expect((await ask(method, headers)).statusCode).toBe(status)),
    )
    await Promise.all(asked)
    expect(counts).toEqual({ opened: 0, errors: [] })
    expect(await descriptors()).toBeLessThanOrEqual(before + 32)
  })

  it(`closes every file of ${ABORTS} clients that go away at random points, and reports none of them`, async () => {
    const { port, counts } = await countingServer()
    const before = await descriptors()
    const abort = (bytes: number) =>
      new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1')
        let left = bytes
        socket.on('error', () => {})
        socket.on('close', () => resolve())
        socket.on('data', (chunk) => {
          left -= chunk.length
          if (left <= 0) socket.destroy()
        })
        const range = bytes % 3 === 0 ? 'bytes=0-9,20-' : 'bytes=5-'
        socket.write(`GET / HTTP/1.1\r\nHost: a\r\nRange: ${range}\r\n\r\n`)
        if (bytes === 0) socket.destroy()
      })
    for (let done = 0; done < ABORTS; done += 50) {
      await Promise.all(Array.from({ length: 50 }, () => abort(Math.floor(Math.random() * 400_000))))
    }
    expect(counts.opened).toBeGreaterThan(ABORTS / 2)
    await expect.poll(descriptors, { timeout: 10_000 }).toBeLessThanOrEqual(before)
    expect(counts.errors.filter(({ code }) => code !== 'ECONNRESET')).toEqual([])
  })
})
