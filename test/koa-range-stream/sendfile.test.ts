import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { rename, truncate, writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import Koa from 'koa'
import { type FileContentOptions, fileContent, serveContent } from 'koa-range-stream'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { useKernelSender } from '../../packages/koa-range-stream/src/file/send-by-kernel.ts'
import { type Kernel, loadKernel } from '../../packages/koa-range-stream/src/sendfile/kernel.ts'
import { SendfileSender } from '../../packages/koa-range-stream/src/sendfile/sendfile-sender.ts'
import { REPOSITORY } from '../support/server.ts'
import { openDescriptors, patterned, settledFile, temporaryDirectory } from './files.ts'

/** More than the sockets between server and client hold. */
const SIZE = 24 * 1024 * 1024

const bytes = patterned(SIZE)
// No two blocks are equal, so that bytes of another position show.
for (let at = 0; at < SIZE; at += 4096) bytes.writeUInt32LE(at, at)

const kernelOfMachine =
  process.platform === 'linux'
    ? loadKernel(createRequire(join(REPOSITORY, 'packages/koa-range-stream/package.json')))
    : null
if (kernelOfMachine === null) console.warn('The tests of sendfile are skipped: it needs Linux and koffi.')

/** The bytes that the kernel has sent in this test. */
let sent = 0

/** Sends by the kernel, and counts. */
function counting(kernel: Kernel): Kernel {
  return {
    cork: (socket, holds) => kernel.cork(socket, holds),
    isInMemory: (fd, position) => kernel.isInMemory(fd, position),
    sendfile(...args) {
      const count = kernel.sendfile(...args)
      sent += Math.max(count, 0)
      return count
    },
  }
}

interface Served {
  readonly port: number
  readonly path: string
  readonly directory: string
  readonly errors: readonly Error[]
  readonly sockets: readonly Socket[]
}

async function serveFile(
  prepare: (res: ServerResponse) => void = () => {},
  options: FileContentOptions = {},
): Promise<Served> {
  const directory = await temporaryDirectory()
  const path = await settledFile(directory, 'clip.mp4', bytes)
  const errors: Error[] = []
  const sockets: Socket[] = []
  const app = new Koa()
  app.on('error', (error: Error) => errors.push(error))
  app.use(async (ctx) => {
    prepare(ctx.res)
    const content = await fileContent('clip.mp4', { root: directory, ...options })
    if (content !== null) await serveContent(ctx, content)
  })
  const server = createServer(app.callback()).listen(0, '127.0.0.1')
  server.on('connection', (socket) => sockets.push(socket))
  await once(server, 'listening')
  onTestFinished(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    path,
    directory,
    errors,
    sockets,
  }
}

function request(path: string, fields: readonly string[] = [], version = '1.1'): string {
  return [`GET ${path} HTTP/${version}`, 'Host: localhost', ...fields, '', ''].join('\r\n')
}

/** A client that sees every byte, and decides when it reads. */
class Client {
  readonly socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #wake: () => void = () => {}

  constructor(port: number, text: string) {
    this.socket = connect(port, '127.0.0.1', () => this.socket.write(text)).on('error', () => {})
    for (const event of ['readable', 'end', 'close']) this.socket.on(event, () => this.#wake())
    onTestFinished(() => void this.socket.destroy())
  }

  async read(length: number): Promise<Buffer> {
    const chunks = [this.#received]
    let have = this.#received.length
    while (have < length) {
      const chunk: Buffer | null = this.socket.read()
      if (chunk !== null) {
        chunks.push(chunk)
        have += chunk.length
      } else if (this.socket.readableEnded || this.socket.destroyed) break
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
    const all = Buffer.concat(chunks)
    this.#received = all.subarray(length)
    return all.subarray(0, length)
  }

  async head(): Promise<string> {
    let head = ''
    while (!head.endsWith('\r\n\r\n')) {
      const byte = await this.read(1)
      if (byte.length === 0) throw new Error(`The connection ended after ${JSON.stringify(head)}`)
      head += byte.toString('latin1')
    }
    return head
  }

  /** Reads one response with Content-Length. */
  async response(): Promise<{ head: string; body: Buffer }> {
    const head = await this.head()
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1])
    return { head, body: await this.read(length) }
  }
}

const range = (start: number, end: number) => `Range: bytes=${start}-${end}`

describe.skipIf(kernelOfMachine === null)('sendfile', () => {
  beforeEach(() => {
    sent = 0
    useKernelSender(kernelOfMachine && new SendfileSender(counting(kernelOfMachine)))
  })
  afterEach(() => useKernelSender(null))

  it('sends whole files and ranges to the byte, over one connection that is kept alive', async () => {
    const { port, sockets } = await serveFile()
    const client = new Client(port, request('/'))
    expect((await client.response()).body.equals(bytes)).toBe(true)
    const ranges = [
      [0, 16_384],
      [1, 70_000],
      [SIZE - 65_536, SIZE - 1],
      [5_000_001, 9_000_002],
      [3, 5],
    ] as const
    for (const [start, end] of ranges) {
      client.socket.write(request('/', [range(start, end)]))
      const { head, body } = await client.response()
      expect(head).toMatch(/^HTTP\/1\.1 206 /)
      expect(body.equals(bytes.subarray(start, end + 1))).toBe(true)
    }
    expect(sockets).toHaveLength(1)
    expect(sent).toBeGreaterThan(SIZE / 2)
  })

  it('sends several ranges with the text between them', async () => {
    const { port } = await serveFile()
    const client = new Client(port, request('/', ['Range: bytes=10-99999,200000-400000,-70000']))
    const { head, body } = await client.response()
    const boundary = /boundary=(\S+)/.exec(head)?.[1] ?? ''
    const parts = body.toString('latin1').split(`--${boundary}`).slice(1, -1)
    const contents = parts.map((part) => part.slice(part.indexOf('\r\n\r\n') + 4, -2))
    const expected = [bytes.subarray(10, 100_000), bytes.subarray(200_000, 400_001), bytes.subarray(-70_000)]
    expect(contents.map((text, at) => Buffer.from(text, 'latin1').equals(expected[at] ?? bytes))).toEqual([
      true,
      true,
      true,
    ])
    expect(sent).toBeGreaterThan(100_000)
  })

  it('sends every byte to slow readers, which hold no long buffer, beside fast ones', async () => {
    const { port } = await serveFile()
    const readSlowly = async (start: number) => {
      const client = new Client(port, request('/', [range(start, SIZE - 1)]))
      await client.head()
      let at = start
      while (at < SIZE) {
        const chunk = await client.read(Math.min(700_001, SIZE - at))
        expect(chunk.equals(bytes.subarray(at, at + chunk.length))).toBe(true)
        at += chunk.length
        client.socket.pause()
        await new Promise((resolve) => setTimeout(resolve, 3))
      }
    }
    const readFast = async (start: number) => {
      const client = new Client(port, request('/', [range(start, SIZE - 1)]))
      expect((await client.response()).body.equals(bytes.subarray(start))).toBe(true)
    }
    await Promise.all([...[0, 1001, 2002, 3003].map(readSlowly), ...[5, 50_000].map(readFast)])
    expect(sent).toBeGreaterThan(SIZE)
  })

  it('closes the file of a client that goes away, and reports no error of the body', async () => {
    const { port, directory, errors } = await serveFile()
    const clients = Array.from({ length: 20 }, () => new Client(port, request('/')))
    for (const [index, client] of clients.entries()) {
      await client.read(index * 100_000 + 1)
      client.socket.destroy()
    }
    await expect.poll(() => openDescriptors(directory)).toBe(0)
    const codes = errors.map((error) => ('code' in error ? error.code : error.message))
    // ECONNRESET is Koa's own, from on-finished.
    expect(codes.filter((code) => code !== 'ECONNRESET')).toEqual([])
  })

  it('answers pipelined requests in their order, which Node starts all at once', async () => {
    const { port } = await serveFile()
    const starts = [0, 100_000, 3_000_000, 7, 20_000_000]
    const requests = starts.map((start) => request('/', [range(start, start + 2_000_000)]))
    const client = new Client(port, requests.join(''))
    for (const start of starts) {
      const { body } = await client.response()
      expect(body.equals(bytes.subarray(start, start + 2_000_001))).toBe(true)
    }
    expect(sent).toBeGreaterThan(0)
  })

  it('sends a whole file to HTTP/1.0, and closes the connection', async () => {
    const { port } = await serveFile()
    const client = new Client(port, request('/', [], '1.0'))
    const { head, body } = await client.response()
    expect(head).toMatch(/^connection: close$/im)
    expect(head).not.toMatch(/transfer-encoding/i)
    expect(body.equals(bytes)).toBe(true)
    expect(await client.read(1)).toHaveLength(0)
    expect(sent).toBeGreaterThan(0)
  })

  it('closes the connection, and reports it, if the file is truncated while it is sent', async () => {
    const { port, path, errors } = await serveFile()
    const client = new Client(port, request('/'))
    await client.head()
    await truncate(path, 1000)
    const received = await client.read(SIZE)
    expect(received.length).toBeLessThan(SIZE)
    await expect.poll(() => errors).toContainEqual(expect.objectContaining({ code: 'CONTENT_TRUNCATED' }))
  })

  it('sends the bytes of the file that it began with if that is replaced', async () => {
    const { port, path, directory } = await serveFile()
    const client = new Client(port, request('/'))
    await client.head()
    await writeFile(join(directory, 'new'), Buffer.alloc(SIZE, 'x'))
    await rename(join(directory, 'new'), path)
    expect((await client.read(SIZE)).equals(bytes)).toBe(true)
  })

  it('sends a file that is in no memory of the kernel', async () => {
    const { port, path } = await serveFile()
    const drop = [`of=${path}`, 'if=/dev/null', 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0']
    await promisify(execFile)('dd', drop)
    const client = new Client(port, request('/'))
    expect((await client.response()).body.equals(bytes)).toBe(true)
  })

  it('counts its bytes in socket.bytesWritten, also after the connection has closed', async () => {
    const { port, sockets } = await serveFile()
    const client = new Client(port, request('/'))
    const { head } = await client.response()
    expect(sent).toBeGreaterThan(0)
    expect(sockets[0]?.bytesWritten).toBe(SIZE + head.length)
    client.socket.destroy()
    await expect.poll(() => sockets[0]?.destroyed).toBe(true)
    expect(sockets[0]?.bytesWritten).toBe(SIZE + head.length)
  })

  it('restarts the idle timer of a socket, as a write does', async () => {
    const restarts: number[] = []
    const { port } = await serveFile(({ socket }) => {
      if (socket === null) return
      const setTimeout = socket.setTimeout.bind(socket)
      setTimeout(60_000)
      socket.setTimeout = (ms, callback) => {
        restarts.push(ms)
        return setTimeout(ms, callback)
      }
    })
    const client = new Client(port, request('/', [range(0, 99_999)]))
    expect((await client.response()).body).toHaveLength(100_000)
    expect(restarts).toContain(60_000)
  })

  it.each<[string, (res: ServerResponse) => void]>([
    [
      'whose write was replaced',
      (res) => {
        const write = res.write.bind(res)
        res.write = (chunk: Buffer) => write(chunk)
      },
    ],
    [
      'that counts its bytes strictly',
      (res) => {
        res.strictContentLength = true
      },
    ],
  ])('leaves a response %s to read and write', async (_what, prepare) => {
    const { port } = await serveFile(prepare)
    const client = new Client(port, request('/'))
    expect((await client.response()).body.equals(bytes)).toBe(true)
    expect(sent).toBe(0)
  })

  it('closes the connection, and reports the error, if code of the app throws while the head is written', async () => {
    const heads = [
      (res: ServerResponse) => res,
      (res: ServerResponse) => {
        res.writeHead = () => {
          Reflect.deleteProperty(res, 'writeHead')
          throw new Error('no head')
        }
      },
    ]
    const { port, errors } = await serveFile((res) => heads.shift()?.(res))
    // Koa itself sends the first response of an app.
    const client = new Client(port, request('/'))
    expect((await client.response()).body.equals(bytes)).toBe(true)
    client.socket.write(request('/'))
    expect((await client.read(1)).length).toBe(0)
    expect(errors.map(({ message }) => message)).toEqual(['no head'])
  })

  it('leaves a file of a file server to threads that read', async () => {
    const { port } = await serveFile(() => {}, { fileSystem: 'network' })
    const client = new Client(port, request('/'))
    expect((await client.response()).body.equals(bytes)).toBe(true)
    expect(sent).toBe(0)
  })

  it('leaves a response that is corked to read and write', async () => {
    const { port } = await serveFile((res) => {
      res.cork()
      setImmediate(() => setImmediate(() => res.uncork()))
    })
    const client = new Client(port, request('/', [range(0, 2_000_000)]))
    expect((await client.response()).body.equals(bytes.subarray(0, 2_000_001))).toBe(true)
  })
})

describe('files that are not in the memory of the kernel', () => {
  afterEach(() => useKernelSender(null))

  /** A kernel that answers as given, and never sends. */
  function kernel(isInMemory: boolean | null, calls: string[]): Kernel {
    return {
      cork: () => {},
      isInMemory: () => isInMemory,
      sendfile: (_socket, _fd, position, length) => {
        calls.push(`${position}+${length}`)
        return -1
      },
    }
  }

  it.each([
    ['no call of sendfile', false, 0],
    ['calls of at most 256 KiB, if the file system cannot tell', null, 1],
  ] as const)('are sent with %s', async (_what, isInMemory, least) => {
    const calls: string[] = []
    useKernelSender(new SendfileSender(kernel(isInMemory, calls)))
    const { port } = await serveFile()
    const client = new Client(port, request('/', [range(0, 3_000_000)]))
    expect((await client.response()).body.equals(bytes.subarray(0, 3_000_001))).toBe(true)
    expect(calls.length > 0).toBe(least > 0)
    for (const call of calls) expect(Number(call.split('+')[1])).toBeLessThanOrEqual(256 * 1024)
  })
})
