import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import http from 'node:http'
import http2 from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import Koa3 from 'koa'
import conditional from 'koa-conditional-get'
import { rangeStream } from 'koa-range-stream'
import serve from 'koa-static'
import Koa2 from 'koa2'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openDescriptors, patterned, settledFile, temporaryDirectory } from './files.ts'

const SIZE = 3_000_000

const KOAS = [
  ['Koa 2', Koa2],
  ['Koa 3', Koa3],
] as const

async function appOver(Koa: typeof Koa3) {
  const directory = await temporaryDirectory()
  await settledFile(directory, 'clip.mp4', patterned(SIZE))
  const bytes = await readFile(join(directory, 'clip.mp4'))
  const app = new Koa()
  const errors: (Error & { code?: string })[] = []
  app.on('error', (error) => errors.push(error))
  app.use(conditional()).use(rangeStream()).use(serve(directory))
  return { app, bytes, errors, descriptors: () => openDescriptors(directory) }
}

async function listen(server: http.Server | http2.Http2Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    if (server instanceof http.Server) server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

describe.each(KOAS)('on %s', (_, Koa) => {
  it('answers 206, multipart 206, 416, 412, 304 and HEAD', async () => {
    const { app, bytes } = await appOver(Koa)
    const url = `http://127.0.0.1:${await listen(http.createServer(app.callback()))}/clip.mp4`
    const ask = (headers: Record<string, string>, method = 'GET') => fetch(url, { headers, method })
    const part = await ask({ range: 'bytes=-1000' })
    expect([part.status, part.headers.get('content-type')]).toEqual([206, 'video/mp4'])
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(-1000))).toBe(true)
    const parts = await ask({ range: 'bytes=0-9,20-29' })
    expect((await parts.arrayBuffer()).byteLength).toBe(Number(parts.headers.get('content-length')))
    expect(parts.headers.get('content-type')).toMatch('multipart/byteranges')
    expect((await ask({ range: `bytes=${SIZE}-` })).headers.get('content-range')).toBe(`bytes */${SIZE}`)
    expect((await ask({ 'if-match': '"other"' })).status).toBe(412)
    const etag = part.headers.get('etag') ?? ''
    expect((await ask({ 'if-none-match': etag, range: 'bytes=0-1' })).status).toBe(304)
    expect((await ask({ 'if-none-match': etag }, 'HEAD')).status).toBe(304)
    const head = await ask({ range: 'bytes=0-1' }, 'HEAD')
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(SIZE)])
  })

  it('ends the connection when the body fails midway', async () => {
    const app = new Koa()
    app.on('error', () => {})
    const stream = () =>
      Readable.from(
        (async function* () {
          yield Buffer.alloc(1000)
          throw new Error('the disk is gone')
        })(),
      )
    app.use(rangeStream()).use((ctx) => {
      ctx.body = { size: SIZE, stream }
    })
    const response = await fetch(`http://127.0.0.1:${await listen(http.createServer(app.callback()))}/`)
    await expect(response.arrayBuffer()).rejects.toThrow()
  })

  it('closes every descriptor of clients that go away, and our bodies report no error', async () => {
    const { app, errors, descriptors } = await appOver(Koa)
    const port = await listen(http.createServer(app.callback()))
    const before = await descriptors()
    const abort = async () => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write('GET /clip.mp4 HTTP/1.1\r\nHost: a\r\nRange: bytes=5-\r\n\r\n')
      await once(socket, 'data')
      socket.destroy()
    }
    await Promise.all(Array.from({ length: 100 }, abort))
    await expect.poll(descriptors, { timeout: 10_000 }).toBeLessThanOrEqual(before)
    // ECONNRESET is Koa's own, from on-finished.
    expect(errors.filter(({ code }) => code !== 'ECONNRESET')).toEqual([])
  })
})

describe('other versions of HTTP', () => {
  it('serves ranges over HTTP/2, and a reset stream closes the file', async () => {
    const { app, bytes, errors, descriptors } = await appOver(Koa3)
    const before = await descriptors()
    const port = await listen(http2.createServer(app.callback()))
    const session = http2.connect(`http://127.0.0.1:${port}`)
    onTestFinished(() => session.destroy())
    const ask = async (headers: http2.OutgoingHttpHeaders) => {
      const stream = session.request({ ':path': '/clip.mp4', ...headers })
      const [response] = await once(stream, 'response')
      const chunks: Buffer[] = []
      for await (const chunk of stream) chunks.push(chunk)
      return { response, body: Buffer.concat(chunks) }
    }
    const part = await ask({ range: 'bytes=100-199' })
    expect(part.response).toMatchObject({ ':status': 206, 'content-range': `bytes 100-199/${SIZE}` })
    expect(part.body.equals(bytes.subarray(100, 200))).toBe(true)
    expect((await ask({ 'if-none-match': part.response.etag })).response[':status']).toBe(304)
    expect((await ask({ ':method': 'HEAD' })).response).toMatchObject({ 'content-length': String(SIZE) })

    // Before there is a body, and in the middle of one.
    for (let i = 0; i < 20; i++)
      session.request({ ':path': '/clip.mp4' }).close(http2.constants.NGHTTP2_CANCEL)
    const cut = session.request({ ':path': '/clip.mp4' })
    await once(cut, 'data')
    cut.close(http2.constants.NGHTTP2_CANCEL)
    await once(cut, 'close')
    session.destroy()
    await expect.poll(descriptors, { timeout: 10_000 }).toBeLessThanOrEqual(before)
    expect(errors.filter(({ code }) => code !== 'ECONNRESET')).toEqual([])
  })

  it('serves a range to HTTP/1.0 without chunks', async () => {
    const { app, bytes } = await appOver(Koa3)
    const socket = connect(await listen(http.createServer(app.callback())), '127.0.0.1')
    socket.write('GET /clip.mp4 HTTP/1.0\r\nRange: bytes=0-99\r\n\r\n')
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk)
    const answer = Buffer.concat(chunks)
    const end = answer.indexOf('\r\n\r\n')
    expect(answer.subarray(0, end).toString()).toMatch(/^HTTP\/1\.1 206 (?!.*transfer-encoding)/is)
    expect(answer.subarray(end + 4).equals(bytes.subarray(0, 100))).toBe(true)
  })
})
