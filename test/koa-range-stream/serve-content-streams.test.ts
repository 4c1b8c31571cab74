import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import { setTimeout as delay } from 'node:timers/promises'
import type Koa from 'koa'
import conditional from 'koa-conditional-get'
import { type Content, serveContent } from 'koa-range-stream'
import { describe, expect, it } from 'vitest'
import { answer, BYTES, CountedContent, readMultipart, serveBehindConditional, slice } from './content.ts'
import { ask, drain, open, retag, serve } from './server.ts'

function streaming(stream: Content['stream'], size = BYTES.length): Content {
  return { size, etag: '"v1"', type: 'video/mp4', stream }
}

/** Web streams that remember how they ended. */
function webContent(cancelled: number[] = []): Content {
  return streaming((range) => {
    const bytes = slice(range)
    return new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Uint8Array.from(bytes))
        if (range?.start !== 1) controller.close()
      },
      cancel: () => void cancelled.push(1),
    })
  })
}

describe('serveContent: content of a web ReadableStream', () => {
  it.each([
    ['all of it', {}, 200, BYTES.toString()],
    ['one range', { range: 'bytes=5-9' }, 206, '56789'],
    ['all of it, for a request whose 304 is withdrawn', { 'if-none-match': '"v1"' }, 200, BYTES.toString()],
  ])('sends %s', async (_what, headers, status, text) => {
    const reply = await ask(await serve(retag, answer(webContent())), { headers })
    expect([reply.status, reply.text]).toEqual([status, text])
    expect(reply.headers['content-length']).toBe(`${text.length}`)
  })

  it('sends several ranges', async () => {
    const reply = await ask(await serve(answer(webContent())), { headers: { range: 'bytes=0-1,8-9' } })
    expect(readMultipart(reply.headers['content-type'], reply.body).map(({ body }) => body)).toEqual([
      '01',
      '89',
    ])
  })

  it('answers HEAD with the complete length', async () => {
    const reply = await ask(await serve(answer(webContent())), { method: 'HEAD' })
    expect(reply.headers['content-length']).toBe('36')
  })

  it('cancels the stream when the client goes away', async () => {
    const cancelled: number[] = []
    const server = await serve(answer(webContent(cancelled)))
    const response = await open(server, { headers: { range: 'bytes=1-9' } })
    response.destroy()
    await expect.poll(() => cancelled).toEqual([1])
  })
})

describe('serveContent: content that fails', () => {
  const denied = Object.assign(new Error('secret path'), { status: 403, expose: false })

  it.each([
    ['all of it', {}],
    ['one range', { range: 'bytes=0-0' }],
    ['several ranges', { range: 'bytes=0-0,9-9' }],
  ])('answers as the error says when %s cannot be opened', async (_what, headers) => {
    const content = streaming(() => Promise.reject(denied))
    const server = await serve(conditional(), answer(content, { cacheControl: 'max-age=60' }))
    const reply = await ask(server, { headers })
    expect([reply.status, reply.text]).toEqual([403, 'Forbidden'])
    expect(reply.headers).not.toHaveProperty('etag')
    expect(reply.headers).not.toHaveProperty('content-range')
    expect(reply.headers).not.toHaveProperty('cache-control')
    expect(server.errors).toEqual([denied])
  })

  it('leaves status, body, freshness and fields to the middleware that catches the error', async () => {
    const seen: unknown[] = []
    const handler: Koa.Middleware = async (ctx, next) => {
      await next().catch(() => seen.push(ctx.body, ctx.status, ctx.res.getHeaderNames()))
      ctx.status = 503
      ctx.body = { title: 'Try again' }
    }
    const fails = streaming(() => {
      throw denied
    })
    const reply = await ask(await serve(conditional(), handler, answer(fails)), {
      headers: { range: 'bytes=0-0' },
    })
    expect(seen).toEqual([undefined, 404, []])
    expect([reply.status, reply.text]).toEqual([503, '{"title":"Try again"}'])
  })

  const failsMidway = () =>
    Readable.from(
      (async function* () {
        yield '01234'
        await delay(20)
        throw new Error('disk on fire')
      })(),
    )

  it.each([
    ['all of it', {}],
    ['one range', { range: 'bytes=0-99999' }],
    ['several ranges', { range: 'bytes=0-9,100000-199999' }],
    ['a request whose 304 is withdrawn', { 'if-none-match': '"v1"' }],
  ])('destroys the connection when %s fails midway', async (_what, headers) => {
    const server = await serve(retag, answer(streaming(failsMidway, 200_000)))
    const response = await open(server, { headers })
    expect([200, 206]).toContain(response.statusCode)
    await expect(drain(response)).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  it.each([
    ['all of it', {}],
    ['one range', { range: 'bytes=0-34' }],
    ['several ranges', { range: 'bytes=0-9,20-29' }],
  ])('answers with 500 when %s, up to 64 KiB, fails midway', async (_what, headers) => {
    const server = await serve(answer(streaming(failsMidway)))
    const reply = await ask(server, { headers })
    expect(reply.status).toBe(500)
    expect(reply.headers).not.toHaveProperty('etag')
    expect(reply.headers).not.toHaveProperty('content-range')
    expect(server.errors.map(({ message }) => message)).toEqual(['disk on fire'])
  })

  it('destroys the connection when a later part cannot be opened', async () => {
    const content = streaming((range) => {
      if (range?.start === 100_000) throw denied
      return Readable.from([Buffer.alloc(100_000)])
    }, 200_000)
    const server = await serve(answer(content))
    const response = await open(server, { headers: { range: 'bytes=0-9,100000-199999' } })
    await expect(drain(response)).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  it('destroys the connection when a web stream fails midway', async () => {
    const content = streaming(
      () =>
        new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(Uint8Array.from(BYTES)),
          pull: (controller) => delay(20).then(() => controller.error(new Error('gone'))),
        }),
      100_000,
    )
    const response = await open(await serve(answer(content)))
    await expect(drain(response)).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  it('keeps serving after content has failed', async () => {
    const sound = new CountedContent()
    let requests = 0
    const broken = streaming(() => failing(), 100_000)
    const server = await serve((ctx) => serveContent(ctx, requests++ === 0 ? broken : sound))
    await expect(ask(server)).rejects.toThrow()
    expect((await ask(server)).body).toEqual(BYTES)
  })
})

describe('serveContent: streams that are no longer needed', () => {
  it.each([
    ['all of it', {}],
    ['one range', { range: 'bytes=0-99999999' }],
    ['several ranges', { range: 'bytes=0-99999999,200000000-299999999' }],
  ])('are destroyed when the client goes away during %s', async (_what, headers) => {
    const streams: Readable[] = []
    const content = streaming(() => {
      const stream = endless()
      streams.push(stream)
      return stream
    }, 1_000_000_000)
    const response = await open(await serveBehindConditional(content), { headers })
    response.destroy()
    await expect.poll(() => streams.map(({ destroyed }) => destroyed)).toEqual([true])
  })

  it('are destroyed when the client goes away while one range waits for bytes', async () => {
    const stalled = stalling()
    const server = await serveBehindConditional(streaming(() => stalled, 100_000))
    const response = await open(server, { headers: { range: 'bytes=0-99999' } })
    response.destroy()
    await expect.poll(() => stalled.destroyed).toBe(true)
  })

  it.each([
    ['all of it', {}],
    ['one range', { range: 'bytes=0-9' }],
    ['several ranges', { range: 'bytes=0-9,20-29' }],
  ])('are destroyed when the client goes away before %s, up to 64 KiB, is there', async (_what, headers) => {
    let stalled: Readable | undefined
    const server = await serveBehindConditional(streaming(() => (stalled = stalling())))
    const socket = connect(server.port, '127.0.0.1')
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${fields.join('')}\r\n`)
    await expect.poll(() => stalled).toBeDefined()
    socket.destroy()
    await expect.poll(() => stalled?.destroyed).toBe(true)
    expect(server.errors).toEqual([])
  })

  it.each([
    ['all of it', {}],
    ['one range', { range: 'bytes=0-99999' }],
    ['several ranges', { range: 'bytes=0-99999,100000-199999' }],
  ])('are destroyed when the app puts another body in place of %s', async (_what, headers) => {
    const streams: Readable[] = []
    const content = streaming(() => {
      const stream = endless()
      streams.push(stream)
      return stream
    }, 200_000)
    const server = await serve(async (ctx) => {
      await serveContent(ctx, content)
      ctx.body = 'another'
    })
    await ask(server, { headers })
    await expect.poll(() => streams.map(({ destroyed }) => destroyed)).toEqual([true])
  })
})

/** Gives one byte, and nothing more. */
function stalling(): Readable {
  const stream = new Readable({ read: () => undefined })
  stream.push('x')
  return stream
}

function endless(): Readable {
  return new Readable({
    read() {
      this.push(Buffer.alloc(65_536))
    },
  })
}

function failing(): Readable {
  return new Readable({
    read() {
      this.destroy(new Error('gone'))
    },
  })
}
