import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { Server, ServerResponse } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { loadConfig } from 'koa-range-server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Connections } from '../../apps/server/src/connections/connections.ts'
import { answerClientErrors } from '../../apps/server/src/connections/parse-errors.ts'
import { inOrder } from '../../apps/server/src/connections/pipelining.ts'
import { createHttpServer } from '../../apps/server/src/connections/server.ts'
import { endStalledConnections } from '../../apps/server/src/connections/stalled-connections.ts'
import type { Handler } from '../../apps/server/src/http/expect-continue.ts'
import { createLogger } from '../../apps/server/src/observe/log.ts'
import { type Certificate, makeCertificate } from '../support/certificate.ts'
import { describeWith } from '../support/tools.ts'

/** Far more than the kernel buffers. */
const LONG = 64 * 1024 ** 2
const STALL = 400
const FRAME = 500

interface Running {
  readonly server: Server
  readonly port: number
  /** Sockets that the server has open. */
  readonly connections: Connections
}

async function start(handler: Handler, certificate?: Certificate, stallTimeout = STALL): Promise<Running> {
  const pem = certificate && { cert: certificate.ca, key: await readFile(certificate.key) }
  const limits = { stallTimeout, frameTimeout: FRAME }
  const server = createHttpServer(pem ?? null, true, limits, inOrder(handler)) as Server
  answerClientErrors(server, createLogger({ ...loadConfig([], {}), logLevel: 'silent' }))
  const connections = new Connections(server)
  endStalledConnections(server, connections, stallTimeout)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    connections.destroy()
    server.close()
  })
  return { server, port: (server.address() as AddressInfo).port, connections }
}

const isIdle = ({ connections }: Running) => [...connections].length === 0

/** Sends `LONG` bytes, as a stream or at once, and says when the response has ended. */
function sender(as: 'stream' | 'buffer'): { handler: Handler; ended: Promise<unknown> } {
  const block = Buffer.alloc(as === 'buffer' ? LONG : 64 * 1024)
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const handler: Handler = (_request, response) => {
    const target = response as ServerResponse
    target.once('close', end)
    if (as === 'buffer') {
      target.end(block)
      return
    }
    const body = Readable.from(
      (function* () {
        for (let sent = 0; sent < LONG; sent += block.length) yield block
      })(),
    )
    body.pipe(target)
    target.once('close', () => body.destroy())
  }
  return { handler, ended }
}

function track<T extends Socket>(socket: T): T {
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  return socket
}

/** Resolves when a connection is closed, by a reset too, which `once` would take for a failure. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

describe('a response over HTTP/1 whose client takes nothing', () => {
  it.each(['stream', 'buffer'] as const)('ends after the stall timeout (%s)', async (as) => {
    const { handler, ended } = sender(as)
    const running = await start(handler)
    const client = track(connect(running.port, '127.0.0.1')).pause()
    const started = performance.now()
    client.write(GET)
    await ended
    expect(performance.now() - started).toBeGreaterThanOrEqual(STALL)
    await expect.poll(() => isIdle(running)).toBe(true)
  })

  it('continues for a client that takes less in the timeout than the kernel has room for', async () => {
    const { handler } = sender('stream')
    const running = await start(handler, undefined, 800)
    const client = track(connect(running.port, '127.0.0.1'))
    client.write(GET)
    // 64 KiB at a time: its kernel acknowledges 400 KiB together, and the server's has room again after 1.4 MiB.
    client.on('data', () => {
      client.pause()
      setTimeout(() => client.resume(), 50)
    })
    await wait(3000)
    expect(isIdle(running)).toBe(false)
  })
})

describeWith(['openssl'], 'over TLS', () => {
  const open = async ({ port }: Running, protocol: string) => {
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: [protocol],
    })
    track(socket)
    await once(socket, 'secureConnect')
    return socket
  }

  const session = (port: number, { ca }: Certificate, settings = {}) => {
    const client = connectHttp2(`https://127.0.0.1:${port}`, { ca, settings }).on('error', () => {})
    onTestFinished(() => client.destroy())
    return client
  }

  it('a response over HTTP/1 ends if its client takes nothing', async () => {
    const { handler, ended } = sender('stream')
    const running = await start(handler, await makeCertificate())
    const client = await open(running, 'http/1.1')
    client.pause().write(GET)
    await ended
    await expect.poll(() => isIdle(running)).toBe(true)
  })

  it('a stream of HTTP/2 without flow-control window is reset while another one progresses', async () => {
    const certificate = await makeCertificate()
    const { handler, ended } = sender('stream')
    const { port } = await start((request, response) => {
      if (request.url === '/short') (response as ServerResponse).end('short')
      else handler(request, response)
    }, certificate)
    const client = session(port, certificate)
    const stalled = client.request({ ':path': '/' }).on('error', () => {})
    let lively = 0
    const timer = setInterval(() => {
      client
        .request({ ':path': '/short' })
        .on('end', () => lively++)
        .resume()
    }, 20)
    onTestFinished(() => clearInterval(timer))
    await ended
    await expect.poll(() => stalled.rstCode).toBe(8)
    const before = lively
    await expect.poll(() => lively).toBeGreaterThan(before)
    expect(client.closed).toBe(false)
  })

  it('a response over HTTP/2 in one write reaches a slow client whole', async () => {
    const certificate = await makeCertificate()
    const body = randomBytes(1_500_000)
    const { port } = await start((_, response) => (response as ServerResponse).end(body), certificate, 800)
    const stream = session(port, certificate).request({ ':path': '/' })
    const chunks: Buffer[] = []
    stream.on('data', (chunk) => {
      chunks.push(chunk)
      stream.pause()
      setTimeout(() => stream.resume(), chunks.length % 4 === 0 ? 100 : 0)
    })
    await once(stream, 'close')
    expect(Buffer.concat(chunks).equals(body)).toBe(true)
  })

  const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
  const frame = (type: number, flags: number, stream: number, payload: Buffer, length = payload.length) => {
    const head = Buffer.alloc(9)
    head.writeUIntBE(length, 0, 3)
    head.writeUInt8(type, 3)
    head.writeUInt8(flags, 4)
    head.writeUInt32BE(stream, 5)
    return Buffer.concat([head, payload])
  }
  const SETTINGS = frame(4, 0, 0, Buffer.alloc(0))
  /** `:method: GET`, `:scheme: https` and `:path: /` from the static table. */
  const HEADERS = Buffer.from([0x82, 0x87, 0x84])

  const HALVES: readonly (readonly [what: string, sent: readonly (string | Buffer)[]])[] = [
    ['nothing', []],
    ['a part of the preface', [PREFACE.slice(0, 10)]],
    ['a part of the head of a frame', [PREFACE, SETTINGS, Buffer.from([0, 0])]],
    ['a part of a HEADERS frame', [PREFACE, SETTINGS, frame(1, 5, 1, HEADERS, 100)]],
    ['a header block without END_HEADERS', [PREFACE, SETTINGS, frame(1, 1, 1, HEADERS)]],
    ['a request, and then a part of a frame', [PREFACE, SETTINGS, frame(1, 5, 1, HEADERS), Buffer.alloc(1)]],
  ]

  it.each(HALVES)(
    'a connection of HTTP/2 that has sent %s is closed after the frame timeout',
    async (_, sent) => {
      const running = await start(
        (_request, response) => (response as ServerResponse).end(),
        await makeCertificate(),
      )
      // The server's time begins when it has the connection, which on a busy machine is long before the client knows it.
      const started = performance.now()
      const client = await open(running, 'h2')
      client.resume()
      for (const bytes of sent) client.write(bytes)
      await closed(client)
      expect(performance.now() - started).toBeGreaterThan(FRAME / 2)
      await expect.poll(() => isIdle(running)).toBe(true)
    },
  )

  it('an idle connection of HTTP/2 stays open', async () => {
    const certificate = await makeCertificate()
    const { port } = await start((_request, response) => (response as ServerResponse).end('x'), certificate)
    const client = session(port, certificate)
    const get = async () => {
      const stream = client.request({ ':path': '/' }).resume()
      await once(stream, 'end')
    }
    await get()
    await wait(3 * FRAME)
    await get()
    expect(client.closed).toBe(false)
  })

  it('a TLS handshake in small pieces ends after the frame timeout', async () => {
    const running = await start(
      (_request, response) => (response as ServerResponse).end(),
      await makeCertificate(),
    )
    const client = track(connect(running.port, '127.0.0.1'))
    client.resume().write(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]))
    const timer = setInterval(() => client.write(Buffer.alloc(1)), FRAME / 5)
    onTestFinished(() => clearInterval(timer))
    await closed(client)
    await expect.poll(() => isIdle(running)).toBe(true)
  })

  it('a connection that the server has closed ends without its client', async () => {
    const certificate = await makeCertificate()
    const running = await start((_request, response) => (response as ServerResponse).end(), certificate)
    const sessions = once(running.server, 'session')
    const client = await open(running, 'h2')
    // As a client that has gone without a word: it reads, and never closes its side.
    client.allowHalfOpen = true
    client.resume().write(Buffer.concat([Buffer.from(PREFACE), SETTINGS]))
    const [server] = await sessions
    server.close()
    await expect.poll(() => isIdle(running)).toBe(true)
  })
})

describe('a connection of HTTP/1', () => {
  const plain: Handler = (_request: unknown, response: unknown) => (response as ServerResponse).end('x')

  it.each([
    ['nothing', ''],
    ['a part of a head', 'GET / HTTP/1.1\r\nHo'],
    ['a request and a part of a head', `${GET}GET / HTTP/1.1\r\nHo`],
  ])('that has sent %s ends after the frame timeout', async (_, text) => {
    const running = await start(plain)
    const client = track(connect(running.port, '127.0.0.1')).resume()
    client.write(text)
    await closed(client)
    await expect.poll(() => isIdle(running)).toBe(true)
  })
})
