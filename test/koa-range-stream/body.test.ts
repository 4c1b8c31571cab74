import { createReadStream } from 'node:fs'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type Koa from 'koa'
import { fileContent, rangeStream, serveContent } from 'koa-range-stream'
import { describe, expect, it } from 'vitest'
import { missingPath } from '../support/temporary.ts'
import { openDescriptors, settledFile, temporaryDirectory } from './files.ts'
import { ask, open, retag, serve } from './server.ts'

/** Middleware that is busy for a while after the body has been set, as a logger or a session may be. */
const slow: Koa.Middleware = async (_ctx, next) => {
  await next()
  await delay(50)
}

function stalled(): Readable {
  const source = new Readable({ read: () => undefined })
  source.push('x')
  return source
}

describe('a client that goes away while the source has nothing to give', () => {
  it.each([
    ['all of it', {}],
    ['one range', { range: 'bytes=0-99999' }],
    ['several ranges', { range: 'bytes=0-99999,100000-199999' }],
    ['the lazy body of a request whose 304 is withdrawn', { 'if-none-match': '"a"' }],
  ])('has the source of %s destroyed', async (_, headers) => {
    const source = stalled()
    const server = await serve(retag, (ctx) =>
      serveContent(ctx, { size: 200_000, etag: '"a"', stream: () => source }),
    )
    const response = await open(server, { headers })
    response.destroy()
    await expect.poll(() => source.destroyed).toBe(true)
  })
})

describe('a source that fails', () => {
  const failures: readonly (readonly [string, () => Readable])[] = [
    ['late', () => createReadStream(missingPath())],
    ['before it is read', () => new Readable({ read: () => undefined }).destroy(new Error('gone'))],
  ]
  it.each(
    failures.flatMap(([when, stream]) =>
      [undefined, 'bytes=0-9', 'bytes=0-9,20-29'].map((range) => [when, range, stream] as const),
    ),
  )('%s ends the response to Range: %s, not the process', async (_, range, stream) => {
    const server = await serve(slow, (ctx) => serveContent(ctx, { size: 36, stream }))
    const headers = range === undefined ? {} : { range }
    const outcome = await ask(server, { headers }).then(
      ({ status }) => status,
      () => 'cut',
    )
    expect(['cut', 500]).toContain(outcome)
    expect((await ask(server, { method: 'HEAD' })).status).toBe(200)
  })

  it('leaves no media type behind for the answer that the app gives instead', async () => {
    const server = await serve(
      async (ctx, next) => {
        await next().catch(() => {
          ctx.body = 'Sorry'
        })
      },
      (ctx) =>
        serveContent(ctx, { size: 36, name: 'a.mp4', stream: () => Promise.reject(new Error('gone')) }),
    )
    expect((await ask(server)).headers['content-type']).toBe('text/plain; charset=utf-8')
  })
})

describe('a source that does not keep its length', () => {
  it('ends the connection when it is short, where a client would wait', async () => {
    const server = await serve((ctx) => serveContent(ctx, { size: 36, stream: () => Readable.from(['abc']) }))
    await expect(ask(server)).rejects.toThrow()
  })

  it('is cut when it is long, and nothing of it reaches the next response', async () => {
    const stream = () => Readable.from([Buffer.from('abcIN'), Buffer.from('JECTED')])
    const server = await serve((ctx) => serveContent(ctx, { size: 3, stream }))
    const socket = connect(server.port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    let text = ''
    for await (const chunk of socket) text += chunk
    expect(text.match(/\r\n\r\nabc/g)).toHaveLength(2)
    expect(text).not.toMatch(/IN|JECTED/)
  })

  it.each([{}, { range: 'bytes=0-2' }])(
    'is read to its end when it keeps it, as a keep-alive backend needs: %j',
    async (headers) => {
      let ended = false
      const stream = () => {
        const source = new Readable({ read() {} }).on('end', () => {
          ended = true
        })
        source.push('abc')
        setTimeout(() => source.push(null), 20)
        return source
      }
      const server = await serve((ctx) => serveContent(ctx, { size: 'range' in headers ? 36 : 3, stream }))
      expect((await ask(server, { headers })).text).toBe('abc')
      await expect.poll(() => ended).toBe(true)
    },
  )

  it('counts bytes, not the characters of a stream of text', async () => {
    const server = await serve((ctx) => serveContent(ctx, { size: 6, stream: () => Readable.from(['歌歌']) }))
    expect((await ask(server)).text).toBe('歌歌')
  })
})

describe('rangeStream over a file that cannot be opened', () => {
  it.each(['GET', 'HEAD'])('answers %s with 404 where the file has gone', async (method) => {
    const server = await serve(slow, rangeStream(), (ctx) => {
      ctx.body = createReadStream(missingPath())
    })
    expect((await ask(server, { method })).status).toBe(404)
  })

  it('lives on when an encoded file, which it leaves alone, cannot be opened', async () => {
    const server = await serve(slow, rangeStream(), (ctx) => {
      ctx.set('Content-Encoding', 'gzip')
      ctx.body = createReadStream(missingPath())
    })
    await expect(ask(server)).rejects.toThrow()
    await expect(ask(server)).rejects.toThrow()
  })

  it('lives on when a stream that it leaves alone fails', async () => {
    const server = await serve(slow, rangeStream(), (ctx) => {
      ctx.body = createReadStream(missingPath(), { start: 5 })
    })
    await expect(ask(server)).rejects.toThrow()
    await expect(ask(server)).rejects.toThrow()
  })
})

describe('pipelined requests', () => {
  it('have every file closed when the client leaves, those of queued responses too', async () => {
    const directory = await temporaryDirectory()
    const path = await settledFile(directory, 'clip.mp4', Buffer.alloc(5_000_000))
    const server = await serve(async (ctx) => {
      const content = await fileContent(path)
      if (content !== null) await serveContent(ctx, content)
    })
    const socket = connect(server.port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(50))
    socket.pause()
    await expect.poll(() => openDescriptors(directory)).toBe(1)
    socket.destroy()
    await expect.poll(() => openDescriptors(directory), { timeout: 10_000 }).toBe(0)
  })
})

describe('a source that has nothing to give any more', () => {
  const sources: readonly (readonly [string, () => Promise<Readable>])[] = [
    [
      'was closed',
      async () => {
        const source = Readable.from([Buffer.from('abcde')])
        source.destroy()
        await delay(10)
        return source
      },
    ],
    [
      'was read to its end',
      async () => {
        const source = Readable.from([Buffer.from('abcde')])
        for await (const _ of source);
        return source
      },
    ],
    ['is short and never closes', async () => shortWithout({ emitClose: false })],
    ['is short and never destroys itself', async () => shortWithout({ autoDestroy: false })],
  ]
  it.each(sources)('and %s ends the response at once', async (_, stream) => {
    const server = await serve((ctx) => serveContent(ctx, { size: 5, stream }))
    const outcome = ask(server).then(
      ({ status }) => status,
      () => 'cut',
    )
    expect(await Promise.race([outcome, delay(3000, 'hung')])).toBeOneOf(['cut', 500])
  })
})

function shortWithout(options: { emitClose?: boolean; autoDestroy?: boolean }): Readable {
  const source = new Readable({ ...options, read() {} })
  source.push('abc')
  source.push(null)
  return source
}

describe('what other middleware does with us', () => {
  it.each(['oops', 5])('lets %j be thrown above a body of ours', async (thrown) => {
    const server = await serve(
      async (_ctx, next) => {
        await next()
        throw thrown
      },
      rangeStream(),
      (ctx) => {
        ctx.body = 'hello'
      },
    )
    await ask(server).catch(() => {})
    expect((await ask(server, { method: 'OPTIONS' }).catch(() => ({ status: 0 }))).status).toBeTypeOf(
      'number',
    )
  })

  it('serves encoded content whole, and refuses without the encoding', async () => {
    const bytes = gzipSync('hello world')
    const server = await serve((ctx) => {
      ctx.set('Content-Encoding', 'gzip')
      return serveContent(ctx, { size: bytes.length, etag: '"z"', stream: () => Readable.from([bytes]) })
    })
    const whole = await ask(server, { headers: { range: 'bytes=0-3' } })
    expect(whole).toMatchObject({ status: 200, headers: { 'content-encoding': 'gzip' } })
    expect(whole.body.equals(bytes)).toBe(true)
    const refused = await ask(server, { headers: { 'if-match': '"other"' } })
    expect(refused.status).toBe(412)
    expect(refused.headers).not.toHaveProperty('content-encoding')
  })
})
