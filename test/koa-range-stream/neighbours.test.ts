import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import etag from '@koa/etag'
import type Koa from 'koa'
import compress from 'koa-compress'
import conditional from 'koa-conditional-get'
import { rangeStream } from 'koa-range-stream'
import serveStatic from 'koa-static'
import { describe, expect, it } from 'vitest'
import { settledFile, temporaryDirectory } from './files.ts'
import { ask, serve } from './server.ts'

const TEXT = 'All work and no play makes a dull file. '.repeat(200)

async function textFile(): Promise<string> {
  const directory = await temporaryDirectory()
  await settledFile(directory, 'a.txt', TEXT)
  return directory
}

describe('beside koa-compress', () => {
  const gzip = { 'accept-encoding': 'gzip' }

  it.each([
    ['all of it', {}, 200, TEXT],
    ['a range', { range: 'bytes=4-7' }, 206, 'work'],
  ])('upstream, %s stays as it is', async (_, headers, status, text) => {
    const server = await serve(compress({ threshold: 0 }), rangeStream(), serveStatic(await textFile()))
    const reply = await ask(server, { path: '/a.txt', headers: { ...gzip, ...headers } })
    expect(reply.headers['content-encoding']).toBeUndefined()
    expect([reply.status, reply.text]).toEqual([status, text])
  })

  it('downstream, what is compressed is no range', async () => {
    const server = await serve(rangeStream(), compress({ threshold: 0 }), serveStatic(await textFile()))
    const reply = await ask(server, { path: '/a.txt', headers: { ...gzip, range: 'bytes=4-7' } })
    expect(reply.headers).toMatchObject({ 'content-encoding': 'gzip' })
    expect(reply.headers).not.toHaveProperty('content-range')
    expect(reply.status).toBe(200)
  })
})

describe('beside @koa/etag', () => {
  it.each([
    ['upstream', (directory: string) => [etag(), rangeStream(), serveStatic(directory)]],
    ['downstream', (directory: string) => [rangeStream(), etag(), serveStatic(directory)]],
  ])('%s, the tag is strong and If-Range matches it', async (_, middleware) => {
    const server = await serve(conditional(), ...(middleware(await textFile()) as Koa.Middleware[]))
    const tag = (await ask(server, { path: '/a.txt', method: 'HEAD' })).headers.etag ?? ''
    expect(tag).toMatch(/^"/)
    const headers = { range: 'bytes=4-7', 'if-range': tag }
    expect(await ask(server, { path: '/a.txt', headers })).toMatchObject({ status: 206, text: 'work' })
  })
})

describe('a string or Buffer beside @koa/etag', () => {
  it.each(['hello', Buffer.from('hello')])('keeps its tag, and 304 by it: %o', async (body) => {
    const server = await serve(conditional(), etag(), rangeStream(), (ctx) => {
      ctx.body = body
    })
    const { headers, text } = await ask(server)
    expect(text).toBe('hello')
    expect(headers.etag).toMatch(/^(?:W\/)?"/)
    expect((await ask(server, { headers: { 'if-none-match': headers.etag } })).status).toBe(304)
    const part = await ask(server, { headers: { range: 'bytes=1-2' } })
    expect([part.status, part.text]).toEqual([206, 'el'])
    expect(part.headers).not.toHaveProperty('etag')
  })
})

describe('rangeStream over a web stream with Content-Length', () => {
  function webStream() {
    const state = { cancelled: false, pulled: 0 }
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const from = state.pulled++ * 10
          if (from < TEXT.length) controller.enqueue(Buffer.from(TEXT.slice(from, from + 10)))
          else controller.close()
        },
        cancel() {
          state.cancelled = true
        },
      },
      { highWaterMark: 0 },
    )
    const app: Koa.Middleware = (ctx) => {
      ctx.body = stream
      ctx.type = 'text/plain'
      ctx.set('Content-Length', String(TEXT.length))
      ctx.set('ETag', '"a"')
    }
    return { state, app }
  }

  it.each([
    ['bytes=0-3', 206, TEXT.slice(0, 4)],
    ['bytes=13-27', 206, TEXT.slice(13, 28)],
    ['bytes=40-', 206, TEXT.slice(40)],
    ['bytes=-7', 206, TEXT.slice(-7)],
    ['bytes=0-0,9-9', 200, TEXT],
    ['lines=1-2', 200, TEXT],
  ])('answers %s with %i and those bytes', async (range, status, text) => {
    const { app } = webStream()
    const server = await serve(conditional(), rangeStream(), app)
    const reply = await ask(server, { headers: { range } })
    expect([reply.status, reply.text]).toEqual([status, text])
  })

  it.each([
    ['HEAD', {}, 200],
    ['GET', { 'if-none-match': '"a"' }, 304],
    ['GET', { 'if-match': '"b"' }, 412],
    ['GET', { range: 'bytes=999999-' }, 416],
  ])('cancels it unread for %s with %j', async (method, headers, status) => {
    const { app, state } = webStream()
    const server = await serve(conditional(), rangeStream(), app)
    expect((await ask(server, { method, headers })).status).toBe(status)
    await expect.poll(() => state).toEqual({ cancelled: true, pulled: 0 })
  })

  it('cancels it when the client goes away while the bytes before the range are being dropped', async () => {
    let cancelled = false
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from('x')),
      cancel: () => {
        cancelled = true
      },
    })
    const server = await serve(rangeStream(), (ctx) => {
      ctx.body = stream
      ctx.set('Content-Length', '100')
    })
    const socket = connect(server.port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=50-\r\n\r\n')
    await delay(100)
    socket.destroy()
    await expect.poll(() => cancelled).toBe(true)
  })

  it('ends the connection when the stream ends before the range', async () => {
    const server = await serve(rangeStream(), (ctx) => {
      ctx.body = new Blob(['short']).stream()
      ctx.set('Content-Length', '100')
    })
    const outcome = ask(server, { headers: { range: 'bytes=50-60' } }).then(
      ({ status }) => status,
      () => 'cut',
    )
    expect(await Promise.race([outcome, delay(3000, 'hung')])).toBeOneOf(['cut', 500])
  })

  it('leaves it alone without Content-Length', async () => {
    const server = await serve(rangeStream(), (ctx) => {
      ctx.body = new Blob([TEXT]).stream()
    })
    const reply = await ask(server, { headers: { range: 'bytes=0-3' } })
    expect([reply.status, reply.text]).toEqual([200, TEXT])
  })

  it('leaves a stream that was read in part to Koa, because Content-Length may count bytes that are gone', async () => {
    const server = await serve(rangeStream(), async (ctx) => {
      const stream = new Blob(['first']).stream().pipeThrough(new TransformStream())
      const reader = stream.getReader()
      await reader.read()
      reader.releaseLock()
      ctx.body = stream
      ctx.set('Content-Length', '0')
    })
    const reply = await ask(server, { headers: { range: 'bytes=0-3' } })
    expect([reply.status, reply.headers['accept-ranges']]).toEqual([200, undefined])
  })
})
