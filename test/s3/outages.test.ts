import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { S3Client } from '@aws-sdk/client-s3'
import { createApp, loadConfig } from 'koa-range-server'
import type { UploadStore } from 'upload-store'
import { createS3Store, type S3StoreOptions } from 'upload-store/s3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listenOn } from '../support/app.ts'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { source } from '../upload-store/contract.ts'

// No Ceph: a gateway that fails is a few lines, and answers at once.

const TIMEOUT = 600
const PART = 5 * 1024 ** 2
const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }
const ID = 'x'.repeat(22)

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** A gateway that handles every request in the same way, and how many it has received. */
async function gateway(handler: Handler) {
  const counted = { requests: 0 }
  const server = createServer((request, response) => {
    counted.requests++
    request.resume()
    handler(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { counted, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const fail =
  (status: number, code: string, headers: Record<string, string> = {}): Handler =>
  (_request, response) => {
    response.writeHead(status, { 'Content-Type': 'application/xml', ...headers })
    response.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code></Error>`)
  }

function open(endpoint: string, options: Partial<S3StoreOptions> = {}): UploadStore {
  const store = createS3Store({
    endpoint,
    bucket: 'tests',
    credentials,
    partSize: PART,
    timeout: TIMEOUT,
    transferTimeout: TIMEOUT,
    recordMaxAge: 0,
    ...options,
  })
  onTestFinished(() => store.close())
  return store
}

/** How long a call takes to fail as unavailable, in ms. */
async function failure(call: Promise<unknown>, name?: string): Promise<number> {
  const began = performance.now()
  await expect(call, name).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  return performance.now() - began
}

/** More than the budget, for a machine that does other things, and less than a second budget would take. */
const SLACK = 5000

const OPERATIONS: Readonly<Record<string, (store: UploadStore) => Promise<unknown>>> = {
  get: (store) => store.get('a'),
  list: (store) => store.list(),
  delete: (store) => store.delete('a'),
  put: (store) => store.put('a', source('hello')),
  createUpload: (store) => store.createUpload('a', { metadata: {} }),
  resumeUpload: (store) => store.resumeUpload(ID),
  interruptUpload: (store) => store.interruptUpload(ID),
  getUpload: (store) => store.getUpload(ID),
  deleteUpload: (store) => store.deleteUpload(ID),
  checkSpace: (store) => store.checkSpace(1),
  recover: (store) => store.recover(),
  sweep: (store) => store.sweep(),
  verify: (store) => store.verify(),
}

describe('an S3 gateway that fails', () => {
  it.each<[string, Handler]>([
    ['503 SlowDown', fail(503, 'SlowDown')],
    ['500 InternalError', fail(500, 'InternalError')],
    ['429 TooManyRequests', fail(429, 'TooManyRequests')],
    ['502 of a proxy', (_request, response) => void response.writeHead(502).end('<html>Bad Gateway</html>')],
    ['504 of a proxy', (_request, response) => void response.writeHead(504).end()],
    ['a closed connection', (request) => void request.socket.destroy()],
    ['silence', () => {}],
    [
      'half of a body',
      (_request, response) => {
        response.writeHead(200, { 'Content-Length': '100', ETag: '"x"' })
        response.write('{')
      },
    ],
  ])('makes every operation fail within its time budget, after a few tries: %s', async (_, handler) => {
    const attempt = async ([name, call]: [string, (store: UploadStore) => Promise<unknown>]) => {
      const { counted, endpoint } = await gateway(handler)
      expect(await failure(call(open(endpoint, { maxTotalSize: 1000 })), name), name).toBeLessThan(
        TIMEOUT + SLACK,
      )
      expect(counted.requests, name).toBeLessThanOrEqual(6)
    }
    await Promise.all(Object.entries(OPERATIONS).map(attempt))
  })

  it('is tried by a few requests also if the app has given a client of its own that retries', async () => {
    const { counted, endpoint } = await gateway(fail(500, 'InternalError'))
    const client = new S3Client({
      endpoint,
      credentials,
      region: 'us-east-1',
      maxAttempts: 10,
      forcePathStyle: true,
    })
    onTestFinished(() => client.destroy())
    await failure(open(endpoint, { client, timeout: 2000 }).get('a'))
    expect(counted.requests).toBeLessThanOrEqual(5)
  })

  it.each([
    ['no listener', closedPort],
    ['no TLS', async () => (await gateway(fail(503, 'SlowDown'))).endpoint.replace('http:', 'https:')],
    ['a TLS handshake that never ends', async () => (await silentPort()).replace('http:', 'https:')],
    ['a connection without an answer', silentPort],
  ])('is unavailable within the time budget: %s', async (_, address) => {
    const store = open(await address())
    expect(await failure(store.get('a'))).toBeLessThan(TIMEOUT + SLACK)
  })

  it('is left alone for as long as it asks', async () => {
    const times: number[] = []
    const { endpoint } = await gateway((request, response) => {
      times.push(performance.now())
      const isFirst = times.length === 1
      if (isFirst) fail(503, 'SlowDown', { 'Retry-After': '1' })(request, response)
      else fail(404, 'NoSuchKey')(request, response)
    })
    expect(await open(endpoint, { timeout: 10_000 }).get('a')).toBeNull()
    const [first = 0, second = 0] = times
    // Timers may be a millisecond early.
    expect(second - first).toBeGreaterThan(990)
  })

  it.each([
    ['seconds', '60'],
    ['a date', new Date(Date.now() + 60_000).toUTCString()],
  ])('is not asked again if it asks to be left alone for longer than the budget: %s', async (_, value) => {
    const { counted, endpoint } = await gateway(fail(503, 'SlowDown', { 'Retry-After': value }))
    const took = await failure(open(endpoint, { timeout: 30_000 }).get('a'))
    expect(counted.requests).toBe(1)
    expect(took).toBeLessThan(SLACK)
  })

  it('delays an upload, and does not break it, if it recovers within the budget of a step', async () => {
    const seen = new Map<string, number>()
    const { endpoint } = await gateway((request, response) => {
      const step = `${request.method} ${request.url?.replace(/uploadId.*/, 'uploadId')}`
      const count = (seen.get(step) ?? 0) + 1
      seen.set(step, count)
      if (count < 3) fail(503, 'SlowDown')(request, response)
      else answer(request, response)
    })
    const store = open(endpoint, { transferTimeout: 30_000 })
    expect(await store.put('a', source(Buffer.alloc(PART + 5)))).toMatchObject({ size: PART + 5 })
    expect([...seen.values()]).toEqual([3, 3, 3, 3, 3, 3])
  })

  it('is not asked again for the parts of an upload that was cancelled', async () => {
    let parts = 0
    const { endpoint } = await gateway((request, response) => {
      const isPart = request.url?.includes('partNumber') === true
      if (isPart) parts++
      if (isPart) fail(503, 'SlowDown')(request, response)
      else answer(request, response)
    })
    const session = await open(endpoint, { transferTimeout: 60_000 }).createUpload('a')
    const append = session.append(0, source(Buffer.alloc(PART + 5)))
    append.catch(() => {})
    await expect.poll(() => parts).toBeGreaterThan(0)
    const began = performance.now()
    await session.abort()
    expect(performance.now() - began).toBeLessThan(SLACK)
    const before = parts
    // Longer than the pause before a further try.
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(parts).toBe(before)
  })

  it('makes the server answer 503 with Retry-After within the time budget', async () => {
    const { counted, endpoint } = await gateway(fail(503, 'SlowDown'))
    const data = await temporaryDirectory()
    const config = loadConfig(['--log-level', 'silent', '--accept', '*/*', '--data', data], {})
    const url = await listenOn(createApp(config, open(endpoint)))
    const requests: [string, RequestInit][] = [
      ['/videos/a', {}],
      ['/videos/a', { headers: { Range: 'bytes=0-9' } }],
      ['/videos/a', { method: 'HEAD' }],
      ['/get_video_by_name/a', {}],
      ['/videos', {}],
      ['/videos/a', { method: 'DELETE' }],
      ['/videos/a', { method: 'PUT', body: 'hello' }],
      [`/uploads/${ID}`, { method: 'HEAD' }],
      ['/readyz', {}],
    ]
    for (const [path, init] of requests) {
      counted.requests = 0
      const began = performance.now()
      const { status, headers } = await fetch(`${url}${path}`, init)
      const name = `${init.method ?? 'GET'} ${path}`
      expect([status, headers.has('Retry-After')], name).toEqual([503, true])
      expect(performance.now() - began, name).toBeLessThan(TIMEOUT + SLACK)
      expect(counted.requests, name).toBeLessThanOrEqual(6)
    }
  })
  it('stops the server at start if a page answers in place of S3, with one line that says so', async () => {
    const page = '<html>Sign in</html>'
    const { endpoint } = await gateway((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html', 'Retry-After': '60' }).end(page)
    })
    const s3 = ['--store', 's3', '--s3-bucket', 'tests', '--s3-endpoint', endpoint]
    const env = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' }
    const server = new ServerProcess(['--port', '0', ...s3], env)
    onTestFinished(async () => void (await server.stop('SIGKILL')))
    const { code, stdout, stderr } = await server.exited
    expect(stderr).toMatch(
      /^--store s3: http:\S+ does not answer as S3 does \(.*200 \(text\/html, 20 bytes\).+\n$/,
    )
    expect([stdout, code]).toEqual(['', 2])
  })
})

/** The URL of a port that accepts connections, and says nothing. */
async function silentPort(): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The URL of a port on which nothing listens. */
async function closedPort(): Promise<string> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}`
}

/** Answers the requests of a put as S3 does. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const { method, url = '' } = request
  const path = url.split('?')[0] ?? ''
  const key = path.slice('/tests/'.length)
  const root = method === 'POST' && url.includes('uploads') ? 'InitiateMultipartUploadResult' : ''
  const xml = (name: string, content: string) => response.end(`<${name}>${content}</${name}>`)
  if (root !== '') xml(root, `<Bucket>tests</Bucket><Key>${key}</Key><UploadId>1</UploadId>`)
  else if (method === 'POST') xml('CompleteMultipartUploadResult', '<ETag>"x"</ETag>')
  else if (method === 'HEAD') response.writeHead(200, { ETag: '"x"', 'Content-Length': `${PART + 5}` }).end()
  else if (method === 'DELETE') response.writeHead(204).end()
  else response.writeHead(200, { ETag: '"x"' }).end()
}
