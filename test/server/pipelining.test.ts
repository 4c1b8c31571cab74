import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { loadConfig } from 'koa-range-server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { answerClientErrors } from '../../apps/server/src/connections/parse-errors.ts'
import { inOrder } from '../../apps/server/src/connections/pipelining.ts'
import { createHttpServer } from '../../apps/server/src/connections/server.ts'
import { handleExpectations } from '../../apps/server/src/http/expect-continue.ts'
import { createLogger } from '../../apps/server/src/observe/log.ts'
import { makeCertificate } from '../support/certificate.ts'
import { describeWith } from '../support/tools.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

interface Running {
  readonly server: Server
  /** Requests that Node has created, in their order. */
  readonly emitted: string[]
  readonly open: () => Promise<Socket>
}

/** The server's HTTP layer around a handler. */
async function start(handler: Handler, { tls = false, frameTimeout = 15_000 } = {}): Promise<Running> {
  const certificate = tls ? await makeCertificate() : null
  const files = certificate && {
    cert: certificate.ca,
    key: await readFile(certificate.key),
  }
  const ordered = inOrder(handler as Parameters<typeof inOrder>[0])
  const server = createHttpServer(files, false, { stallTimeout: 60_000, frameTimeout }, ordered) as Server
  handleExpectations(server, ordered)
  answerClientErrors(server, createLogger({ ...loadConfig([], {}), logLevel: 'silent' }))
  const emitted: string[] = []
  for (const event of ['request', 'checkContinue'])
    server.prependListener(event, ({ url }: IncomingMessage) => emitted.push(String(url)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets: Socket[] = []
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const open = async (): Promise<Socket> => {
    const socket = tls
      ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
      : connect(port, '127.0.0.1')
    sockets.push(socket.on('error', () => {}))
    await once(socket, tls ? 'secureConnect' : 'connect')
    return socket
  }
  return { server, emitted, open }
}

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`

/** Resolves with everything that arrives until the server closes. */
async function answersOn(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += chunk
  })
  await once(socket, 'close')
  return text
}

/** Sends each body back, some of them late, after the path. */
const echo: Handler = async (request, response) => {
  if (request.headers.expect !== undefined) response.writeContinue()
  let body = ''
  if (request.method !== 'GET') for await (const chunk of request.setEncoding('latin1')) body += chunk
  if (Number(request.url?.slice(1)) % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
  response.setHeader('Content-Type', 'text/plain')
  response.end(`[${request.method} ${request.url} ${body}]`)
}

const bodyOf = (index: number): string => `${index}\r\n\r\nGET /no HTTP/1.1\r\n\r\n`.repeat(index % 50)

function requestOf(index: number): readonly [text: string, answer: string] {
  const body = bodyOf(index)
  const path = `/${index}`
  switch (index % 5) {
    case 0:
      return [get(path), `[GET ${path} ]`]
    case 1:
      return [
        `PUT ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        `[PUT ${path} ${body}]`,
      ]
    case 2: {
      const chunks = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`
      return [
        `PUT ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\nT: 1\r\n\r\n`,
        `[PUT ${path} ${body}]`,
      ]
    }
    case 3:
      return [`HEAD ${path} HTTP/1.1\r\nHost: a\r\n\r\n`, '']
    default:
      return [
        `\r\nPUT ${path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx`,
        `[PUT ${path} x]`,
      ]
  }
}

describe('pipelined requests', () => {
  it('creates 18 of 1,400 requests that arrive at once while the first is in progress', async () => {
    let finish = () => {}
    const { server, emitted, open } = await start((request, response) => {
      if (request.url === '/0') finish = () => response.end()
      else response.end()
    })
    const accepted = once(server, 'connection')
    const client = await open()
    const [socket]: Socket[] = await accepted
    const all = Array.from({ length: 1400 }, (_, index) => `/${index}`)
    client.write(all.map((path) => get(path)).join('') + get('/last', 'Connection: close\r\n'))
    await expect.poll(() => socket?.bytesRead).toBeGreaterThan(40_000)
    expect(emitted.length).toBeLessThanOrEqual(18)
    const text = answersOn(client)
    finish()
    expect((await text).split('HTTP/1.1 200').length - 1).toBe(1401)
    expect(emitted).toEqual([...all, '/last'])
  })

  it('reads no more than it is about to parse', async () => {
    let last = () => {}
    const held = new Promise<void>((resolve) => {
      last = resolve
    })
    const { server, open } = await start((request, response) => {
      if (request.url === '/last') last()
      else response.end()
    })
    const accepted = once(server, 'connection')
    const client = await open()
    const [socket]: Socket[] = await accepted
    client.resume().write(get('/1').repeat(100) + get('/last') + get('/2').repeat(100_000))
    await held
    expect(socket?.bytesRead).toBeLessThanOrEqual(3 * 65_536)
  })

  it.each([1, 7, 100, 3000, 100_000])(
    'answers requests with and without bodies in their order, sent in pieces of %s bytes',
    async (size) => {
      const { open } = await start(echo)
      const client = await open()
      client.setNoDelay(true)
      const requests = Array.from({ length: Math.min(10 + 10 * size, 300) }, (_, index) => requestOf(index))
      const text = requests.map(([request]) => request).join('') + get('/0', 'Connection: close\r\n')
      const answers = answersOn(client)
      for (let at = 0; at < text.length; at += size) {
        client.write(text.slice(at, at + size), 'latin1')
        if (size < 1000) await new Promise((resolve) => setImmediate(resolve))
      }
      const bodies = (await answers).match(/\[(?:GET|PUT) \/[^\]]*\]/g)
      expect(bodies).toEqual([...requests.map(([, answer]) => answer).filter(Boolean), '[GET /0 ]'])
    },
  )

  it('reads a body of 1 MiB in front of 100 pipelined requests', async () => {
    const { open } = await start(echo)
    const client = await open()
    const body = 'x'.repeat(1024 ** 2)
    const put = `PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    const answers = answersOn(client)
    const gets = get('/2').repeat(99) + get('/3', 'Connection: close\r\n')
    client.write(gets.replace('Connection: close\r\n', '') + put + gets)
    const text = await answers
    expect(text.match(/\[GET/g)?.length).toBe(200)
    expect(text).toContain(`[PUT /1 ${body}]`)
  })

  it('answers all requests of a client that has ended its side of the connection', async () => {
    const { open } = await start(echo)
    const client = await open()
    const answers = answersOn(client)
    client.end(Array.from({ length: 200 }, (_, index) => get(`/${index}`)).join(''))
    expect((await answers).match(/\[GET/g)?.length).toBe(200)
  })

  it('processes no request after one with Connection: close', async () => {
    const seen: string[] = []
    const { open } = await start((request, response) => {
      seen.push(String(request.url))
      response.end()
    })
    const client = await open()
    const answers = answersOn(client)
    client.write(get('/1') + get('/2', 'Connection: close\r\n') + get('/3').repeat(100))
    expect((await answers).split('HTTP/1.1 200').length - 1).toBe(2)
    expect(seen).toEqual(['/1', '/2'])
  })

  it('answers the 40 requests before a malformed one, and that one with 400', async () => {
    const { server, open } = await start(echo)
    let errors = 0
    server.on('clientError', () => errors++)
    const client = await open()
    const answers = answersOn(client)
    client.write(`${get('/1').repeat(40)}NONSENSE\r\n\r\n${get('/2').repeat(1000)}`)
    const text = await answers
    expect(text.match(/HTTP\/1.1 \d+/g)).toEqual([...Array(40).fill('HTTP/1.1 200'), 'HTTP/1.1 400'])
    // What follows is not parsed, an error each.
    expect(errors).toBeLessThan(3)
  })

  it.each([10, 20_000_000])(
    'answers a request for %i bytes before a CONNECT, and that one with 501',
    async (size) => {
      const { open } = await start((_request, response) => response.end(Buffer.alloc(size)))
      const socket = await open()
      socket.write(`${get('/0')}CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n`)
      const received = await answersOn(socket)
      expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 501'])
      expect(received.length).toBeGreaterThan(size)
    },
  )

  it('does not count the time of a response against the head of a request that waits behind it', async () => {
    const { open } = await start(
      (request, response) => {
        if (request.url === '/slow') setTimeout(() => response.end(), 1000)
        else response.end()
      },
      { frameTimeout: 200 },
    )
    const client = await open()
    const answers = answersOn(client)
    // More than one read, which ends in the middle of a head.
    client.write(get('/slow') + get('/1').repeat(3000) + get('/2', 'Connection: close\r\n'))
    expect((await answers).split('HTTP/1.1 200').length - 1).toBe(3002)
  })

  it('keeps the order of requests whose client writes HTTP/2.0 over HTTP/1', async () => {
    const order: string[] = []
    const { open } = await start((request, response) => {
      order.push(`begin ${request.url}`)
      setImmediate(() => {
        order.push(`end ${request.url}`)
        response.writeHead(200, { 'Content-Length': 0 }).end()
      })
    })
    const client = await open()
    const answers = answersOn(client)
    client.write(
      'PUT /1 HTTP/2.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nxDELETE /2 HTTP/2.0\r\n\r\n',
    )
    await answers
    expect(order).toEqual(['begin /1', 'end /1', 'begin /2', 'end /2'])
  })
})

describeWith(['openssl'], 'pipelined requests over TLS', () => {
  it('are bounded, too, and answered in their order', async () => {
    let finish = () => {}
    const { emitted, open } = await start(
      (request, response) => {
        if (request.url === '/0') finish = () => response.end()
        else response.end()
      },
      { tls: true },
    )
    const client = await open()
    const all = Array.from({ length: 1400 }, (_, index) => `/${index}`)
    client.write(all.map((path) => get(path)).join('') + get('/last', 'Connection: close\r\n'))
    await expect.poll(() => emitted.length).toBeGreaterThanOrEqual(17)
    expect(emitted.length).toBeLessThanOrEqual(18)
    const text = answersOn(client)
    finish()
    expect((await text).split('HTTP/1.1 200').length - 1).toBe(1401)
    expect(emitted).toEqual([...all, '/last'])
  })

  it('do not start after a response with Connection: close', async () => {
    const seen: string[] = []
    const { open } = await start(
      (request, response) => {
        seen.push(String(request.url))
        response.setHeader('Connection', 'close').end()
      },
      { tls: true },
    )
    const client = await open()
    const answers = answersOn(client)
    client.write(get('/1') + get('/2').repeat(100))
    expect((await answers).split('HTTP/1.1 200').length - 1).toBe(1)
    expect(seen).toEqual(['/1'])
  })
})
