import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { rename, unlink, writeFile } from 'node:fs/promises'
import { Agent, createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import Koa from 'koa'
import conditional from 'koa-conditional-get'
import { type Content, fileContent, serveContent } from 'koa-range-stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openDescriptors, patterned, settle, settledFile, temporaryDirectory } from './files.ts'
import { ask, open, type Server, serve } from './server.ts'

const SIZE = 8 * 1024 * 1024

/** An app that serves the files of a directory. */
function serveDirectory(root: string, fileSystem?: 'local' | 'network'): Promise<Server> {
  return serve(conditional(), async (ctx) => {
    const content = await fileContent(ctx.path, { root, fileSystem })
    if (content !== null) await serveContent(ctx, content)
  })
}

describe('descriptors that are kept between requests', () => {
  it('are bounded under 2,000 distinct files, and closed when no request uses them', {
    timeout: 90_000,
  }, async () => {
    const directory = await temporaryDirectory()
    const names = Array.from({ length: 2000 }, (_, index) => `${index}.mp4`)
    for (let at = 0; at < names.length; at += 500) {
      await Promise.all(names.slice(at, at + 500).map((name) => writeFile(join(directory, name), name)))
    }
    const { port } = await serveDirectory(directory)
    const agent = new Agent({ keepAlive: true, maxSockets: 16 })
    onTestFinished(() => agent.destroy())
    let most = 0
    const askFor = async (name: string) => {
      const request = get({
        host: '127.0.0.1',
        port,
        agent,
        path: `/${name}`,
        headers: { range: 'bytes=0-' },
      })
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      expect(Buffer.concat(await response.toArray()).toString()).toBe(name)
    }
    for (let at = 0; at < names.length; at += 500) {
      await Promise.all(names.slice(at, at + 500).map(askFor))
      most = Math.max(most, await openDescriptors(directory))
    }
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(256 + 16)
    await expect.poll(() => openDescriptors(directory), { timeout: 10_000 }).toBe(0)
  })

  it('make way when a process may open no more', async () => {
    const directory = await temporaryDirectory()
    for (let index = 0; index < 200; index++) await writeFile(join(directory, String(index)), String(index))
    const script = `
      import { fileContent } from 'koa-range-stream'
      for (let index = 0; index < 200; index++) {
        const content = await fileContent(process.argv[1] + '/' + index)
        const bytes = Buffer.concat(await (await content.stream()).toArray())
        if (String(bytes) !== String(index)) throw new Error('other bytes')
      }`
    const command = 'ulimit -n 80; exec "$0" --input-type=module --eval "$1" "$2"'
    const child = promisify(execFile)('sh', ['-c', command, process.execPath, script, directory], {
      cwd: import.meta.dirname,
    })
    expect(await child).toEqual({ stdout: '', stderr: '' })
  })

  it.each(['local', 'network'] as const)('never give a stale byte (%s)', async (fileSystem) => {
    const directory = await temporaryDirectory()
    const path = await settledFile(directory, 'clip.mp4', 'first content')
    const server = await serveDirectory(directory, fileSystem)
    const body = async () => (await ask(server, { path: '/clip.mp4', headers: { range: 'bytes=0-4' } })).text
    for (let index = 0; index < 20; index++) {
      expect(await body()).toBe('first')
    }
    await writeFile(`${path}.new`, 'second one')
    await rename(`${path}.new`, path)
    expect(await body()).toBe('secon')
    await writeFile(path, 'third in place')
    expect(await body()).toBe('third')
    await unlink(path)
    expect((await ask(server, { path: '/clip.mp4' })).status).toBe(404)
  })
})

describe('buffers that are used again', () => {
  it('are left alone while slow readers have yet to get them', { timeout: 60_000 }, async () => {
    const directory = await temporaryDirectory()
    const bytes = patterned(SIZE)
    // No two blocks are equal: somebody else's show.
    for (let at = 0; at < SIZE; at += 4096) bytes.writeUInt32LE(at, at)
    await settledFile(directory, 'clip.mp4', bytes)
    const server = await serveDirectory(directory)
    const readSlowly = async (index: number) => {
      const start = index * 1001
      const response = await open(server, { path: '/clip.mp4', headers: { range: `bytes=${start}-` } })
      let at = start
      for await (const chunk of response) {
        if (!bytes.subarray(at, at + chunk.length).equals(chunk)) throw new Error(`Other bytes at ${at}`)
        at += chunk.length
        if (at % 5 === 0) await delay(1)
      }
      return at
    }
    const readSmall = async (index: number) => {
      for (let turn = 0; turn < 20; turn++) {
        const start = (index * 7919 + turn * 104_729) % (SIZE - 70_000)
        const headers = { range: `bytes=${start}-${start + 60_000}` }
        const response = await open(server, { path: '/clip.mp4', headers })
        const body = Buffer.concat(await response.toArray())
        expect(body.equals(bytes.subarray(start, start + 60_001))).toBe(true)
      }
    }
    const [ends] = await Promise.all([
      Promise.all(Array.from({ length: 24 }, (_, index) => readSlowly(index))),
      Promise.all(Array.from({ length: 8 }, (_, index) => readSmall(index))),
    ])
    expect(new Set(ends)).toEqual(new Set([SIZE]))
  })

  it('are never those that a middleware has read as ctx.body', async () => {
    const directory = await temporaryDirectory()
    const bytes = patterned(1_000_000)
    await settledFile(directory, 'clip.mp4', bytes)
    const cached: unknown[] = []
    const server = await serve(
      async (ctx, next) => {
        await next()
        if (ctx.path === '/kept') cached.push(ctx.body)
      },
      async (ctx) => {
        const content = await fileContent('clip.mp4', { root: directory })
        if (content !== null) await serveContent(ctx, content)
      },
    )
    await ask(server, { path: '/kept', headers: { range: 'bytes=7-60000' } })
    for (let index = 0; index < 50; index++) {
      await ask(server, { headers: { range: `bytes=${index * 1000}-${index * 1000 + 60_000}` } })
    }
    expect(cached).toHaveLength(1)
    expect(Buffer.isBuffer(cached[0]) && cached[0].equals(bytes.subarray(7, 60_001))).toBe(true)
  })

  it('are never those that a middleware has read before it failed', async () => {
    const directory = await temporaryDirectory()
    const bytes = patterned(1_000_000)
    await settledFile(directory, 'clip.mp4', bytes)
    const kept: unknown[] = []
    const server = await serve(
      async (ctx, next) => {
        await next()
        if (ctx.path !== '/fails') return
        kept.push(ctx.body)
        throw new Error('late')
      },
      async (ctx) => {
        const content = await fileContent('clip.mp4', { root: directory })
        if (content !== null) await serveContent(ctx, content)
      },
    )
    const failed = await ask(server, { path: '/fails', headers: { range: 'bytes=7-60000' } })
    expect(failed.status).toBe(500)
    for (let index = 0; index < 50; index++) {
      await ask(server, { headers: { range: `bytes=${index * 1000}-${index * 1000 + 60_000}` } })
    }
    expect(Buffer.isBuffer(kept[0]) && kept[0].equals(bytes.subarray(7, 60_001))).toBe(true)
  })

  it('are not those of a body that replaces theirs upstream', async () => {
    const directory = await temporaryDirectory()
    await settledFile(directory, 'clip.mp4', patterned(1000))
    const server = await serve(
      async (ctx, next) => {
        await next()
        ctx.body = 'other'
      },
      async (ctx) => {
        const content = await fileContent('clip.mp4', { root: directory })
        if (content !== null) await serveContent(ctx, content)
      },
    )
    expect(await ask(server, {})).toMatchObject({ status: 200, text: 'other' })
  })
})

describe('a server that is closing', () => {
  it('sends a slow client the last bytes of its response', { timeout: 30_000 }, async () => {
    const directory = await temporaryDirectory()
    // More than the sockets hold, so that the last write has to wait.
    const bytes = patterned(4 * SIZE)
    const path = await settledFile(directory, 'clip.mp4', bytes)
    const app = new Koa().use(async (ctx) => {
      const content = await fileContent(path)
      if (content !== null) await serveContent(ctx, content)
    })
    app.silent = true
    const server = createServer(app.callback()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    /** A response that nobody reads, when the sockets are full, and how much went to its own. */
    const stalled = async (range: string) => {
      const connected = once(server, 'connection') as Promise<[Socket]>
      const response = await open({ port, errors: [] }, { headers: { range } })
      const [socket] = await connected
      for (let before = -1; before < socket.bytesWritten; await delay(100)) before = socket.bytesWritten
      return { response, socket }
    }
    const { response: probe, socket: full } = await stalled('bytes=0-')
    probe.destroy()
    // As much again, so that the write that has to wait is the last one. The kernel may give the next connection more room.
    let end = full.bytesWritten - 2000
    let { response, socket } = await stalled(`bytes=0-${end}`)
    for (let tries = 0; tries < 10 && socket.writableLength === 0; tries++) {
      response.destroy()
      end += 32_000
      ;({ response, socket } = await stalled(`bytes=0-${end}`))
    }
    expect(socket.writableLength).toBeGreaterThan(0)
    server.close()
    // As a server does that drains: a connection whose response has been ended counts as idle.
    server.closeIdleConnections()
    expect(Buffer.concat(await response.toArray()).equals(bytes.subarray(0, end + 1))).toBe(true)
  })
})

describe('immutableFile', () => {
  async function contentOf(file: string, size: number): Promise<{ content: Content; asked: () => number }> {
    let asked = 0
    const stream = (range?: { start: number; end: number }) => {
      asked++
      return Readable.from([
        Buffer.from('from the stream').subarray(range?.start ?? 0, (range?.end ?? 14) + 1),
      ])
    }
    return { content: { size, stream, immutableFile: file }, asked: () => asked }
  }

  it('is read in place of the stream', async () => {
    const path = await settledFile(await temporaryDirectory(), 'blob', 'from the file!!')
    const { content, asked } = await contentOf(path, 15)
    const server = await serve((ctx) => serveContent(ctx, content))
    expect((await ask(server, { headers: { range: 'bytes=5-7' } })).text).toBe('the')
    expect((await ask(server, {})).text).toBe('from the file!!')
    expect((await ask(server, { headers: { range: 'bytes=0-3,9-12' } })).text).toMatch(
      /\r\nfrom\r\n[\s\S]*\r\nfile\r\n/,
    )
    expect(asked()).toBe(0)
  })

  it.each([
    ['is missing', 'missing', 15],
    ['has another size', 'blob', 15],
    ['is a directory', '.', 15],
  ])('is passed over for the stream where it %s', async (_what, name, size) => {
    const directory = await temporaryDirectory()
    await settledFile(directory, 'blob', 'short')
    const { content, asked } = await contentOf(join(directory, name), size)
    const server = await serve((ctx) => serveContent(ctx, content))
    expect((await ask(server, { headers: { range: 'bytes=5-7' } })).text).toBe('the')
    expect(asked()).toBe(1)
  })

  it('is not read if the app replaces the stream and removes it', async () => {
    const path = await settledFile(await temporaryDirectory(), 'blob', 'from the file!!')
    const { content } = await contentOf(path, 15)
    const stream = () => Readable.from([Buffer.from('of another kind')])
    const server = await serve((ctx) => serveContent(ctx, { ...content, stream, immutableFile: undefined }))
    expect((await ask(server, {})).text).toBe('of another kind')
  })
})

describe('a response whose write method was replaced', () => {
  it('is written to by the ordinary pipe', async () => {
    const directory = await temporaryDirectory()
    const bytes = patterned(300_000)
    await settledFile(directory, 'clip.mp4', bytes)
    await settle()
    const kept: Buffer[] = []
    const server = await serve(
      (ctx, next) => {
        const { res } = ctx
        const write = res.write.bind(res)
        // Calls nobody back, and keeps what it is given.
        res.write = (chunk: Buffer) => {
          kept.push(chunk)
          return write(chunk)
        }
        return next()
      },
      async (ctx) => {
        const content = await fileContent('clip.mp4', { root: directory })
        if (content !== null) await serveContent(ctx, content)
      },
    )
    const response = await open(server, { headers: { range: 'bytes=1-299999' } })
    expect(Buffer.concat(await response.toArray()).equals(bytes.subarray(1))).toBe(true)
    expect(Buffer.concat(kept).equals(bytes.subarray(1))).toBe(true)
  })
})
