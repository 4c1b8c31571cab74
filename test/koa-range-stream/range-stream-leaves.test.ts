import { createReadStream } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { PassThrough } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { rangeStream } from 'koa-range-stream'
import { describe, expect, it } from 'vitest'
import { BYTES } from './content.ts'
import { settledFile, temporaryDirectory } from './files.ts'
import { ask, serve } from './server.ts'

const TEXT = 'Größe 5 €'

function serveBody(body: () => unknown) {
  return serve(rangeStream(), (ctx) => {
    ctx.body = body()
  })
}

describe('rangeStream leaves alone', () => {
  it.each([
    ['text of a file', (path: string) => createReadStream(path, 'hex'), '616263'],
    ['what says that it is empty and is not', () => createReadStream('/proc/self/comm'), /^\S+\n$/],
  ])('%s', async (_what, body, text) => {
    const path = await settledFile(await temporaryDirectory(), 'a.txt', 'abc')
    const reply = await ask(await serveBody(() => body(path)))
    expect(reply.text).toMatch(text)
  })

  const range = 'bytes=0-0'

  it.each([
    ['POST', 'POST', 200, {}],
    ['PUT', 'PUT', 200, {}],
    ['a 404 with a body', 'GET', 404, {}],
    ['a 206 of the app', 'GET', 206, {}],
    ['a 201', 'GET', 201, {}],
    ['Content-Encoding', 'GET', 200, { 'Content-Encoding': 'x-own' }],
    ['Content-Range', 'GET', 200, { 'Content-Range': 'bytes 0-0/1' }],
  ])('%s', async (_what, method, status, headers) => {
    const server = await serve(rangeStream(), (ctx) => {
      ctx.body = TEXT
      ctx.status = status
      ctx.set(headers)
    })
    const reply = await ask(server, { method, headers: { range } })
    expect([reply.status, reply.text]).toEqual([status, TEXT])
    expect(reply.headers).not.toHaveProperty('accept-ranges')
  })

  it.each([
    ['JSON', () => ({ size: 5 }), 200, '{"size":5}'],
    [
      'JSON with a stream that is no function',
      () => ({ size: 5, stream: true }),
      200,
      '{"size":5,"stream":true}',
    ],
    ['no body', () => null, 204, ''],
    ['a stream of unknown length', () => new PassThrough().end(TEXT), 200, TEXT],
    ['a web stream of unknown length', () => new Blob([TEXT]).stream(), 200, TEXT],
  ])('%s', async (_what, body, status, text) => {
    const reply = await ask(await serveBody(body), { headers: { range } })
    expect([reply.status, reply.text]).toEqual([status, text])
    expect(reply.headers).not.toHaveProperty('accept-ranges')
  })

  it.each([
    ['a start', { start: 10 }, BYTES.subarray(10)],
    ['an end', { end: 9 }, BYTES.subarray(0, 10)],
    ['both', { start: 10, end: 19 }, BYTES.subarray(10, 20)],
  ])('a file stream with %s', async (_what, options, bytes) => {
    const path = await settledFile(await temporaryDirectory(), 'clip.mp4', BYTES)
    const reply = await ask(await serveBody(() => createReadStream(path, options)), { headers: { range } })
    expect([reply.status, reply.body]).toEqual([200, bytes])
    expect(reply.headers).not.toHaveProperty('accept-ranges')
  })

  it('a file stream that another middleware has begun to read', async () => {
    const path = await settledFile(await temporaryDirectory(), 'clip.mp4', BYTES)
    const server = await serve(rangeStream(), async (ctx) => {
      const stream = createReadStream(path)
      ctx.body = stream
      while (stream.read(10) === null) await delay(5)
    })
    const reply = await ask(server, { headers: { range } })
    expect([reply.status, reply.body]).toEqual([200, BYTES.subarray(10)])
  })

  it('a file stream of a descriptor', async () => {
    const path = await settledFile(await temporaryDirectory(), 'clip.mp4', BYTES)
    const file = await openFile(path)
    const reply = await ask(await serveBody(() => file.createReadStream()), { headers: { range } })
    expect([reply.status, reply.body]).toEqual([200, BYTES])
  })
})
