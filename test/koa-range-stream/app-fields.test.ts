import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Koa from 'koa'
import conditional from 'koa-conditional-get'
import { fileContent, rangeStream, serveContent } from 'koa-range-stream'
import serveStatic from 'koa-static'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { settle } from './files.ts'
import { ask, retag, serve } from './server.ts'

const TEXT = '0123456789'
const DATE = 'Sun, 01 Jun 2025 00:00:00 GMT'
const RANGE = { range: 'bytes=4-6' }

let directory = ''

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'koa-range-suite-'))
  await writeFile(join(directory, 'a.txt'), TEXT)
  await settle()
})

afterAll(() => rm(directory, { recursive: true }))

type Fields = Readonly<Record<string, string>>

const overStatic = (fields: Fields): Koa.Middleware[] => [
  rangeStream(),
  serveStatic(directory, {
    setHeaders: (res) => {
      for (const name in fields) res.setHeader(name, fields[name] ?? '')
    },
  }),
]

const overContent = (fields: Fields): Koa.Middleware[] => [
  async (ctx) => {
    ctx.set(fields)
    const content = await fileContent('a.txt', { root: directory })
    if (content !== null) await serveContent(ctx, content)
  },
]

describe.each([
  ['rangeStream over koa-static', overStatic],
  ['serveContent', overContent],
])('%s', (_what, answer) => {
  async function asking(fields: Fields) {
    const server = await serve(conditional(), ...answer(fields))
    return (headers: Fields = {}, method = 'GET') => ask(server, { path: '/a.txt', method, headers })
  }

  it('evaluates and sends the Last-Modified that the app has set', async () => {
    const get = await asking({ 'Last-Modified': DATE })
    for (const headers of [{}, RANGE, { 'if-modified-since': DATE }] as Fields[]) {
      expect((await get(headers)).headers['last-modified']).toBe(DATE)
    }
    const status = async (headers: Fields) => (await get(headers)).status
    expect(await status({ 'if-modified-since': DATE })).toBe(304)
    expect(await status({ 'if-modified-since': 'Sat, 31 May 2025 23:59:59 GMT' })).toBe(200)
    expect(await status({ 'if-unmodified-since': DATE })).toBe(200)
    expect(await status({ 'if-unmodified-since': 'Sat, 31 May 2025 23:59:59 GMT' })).toBe(412)
    expect(await status({ ...RANGE, 'if-range': DATE })).toBe(206)
  })

  it.each(['yesterday', '2025-06-01T00:00:00Z', '1748736000'])(
    'sends a Last-Modified that is no HTTP-date, %s, and no condition holds by it',
    async (date) => {
      const get = await asking({ 'Last-Modified': date })
      const { headers, status } = await get({ 'if-modified-since': new Date().toUTCString() })
      expect([status, headers['last-modified']]).toEqual([200, date])
      expect((await get({ ...RANGE, 'if-range': date })).status).toBe(200)
      expect((await get({ 'if-none-match': headers.etag ?? '' })).status).toBe(304)
    },
  )

  it('evaluates and sends the strong ETag that the app has set', async () => {
    const get = await asking({ ETag: '"app"' })
    expect((await get()).headers.etag).toBe('"app"')
    expect((await get({ 'if-none-match': 'W/"app"' })).status).toBe(304)
    expect((await get({ 'if-match': '"app"', ...RANGE })).status).toBe(206)
    expect((await get({ 'if-range': '"app"', ...RANGE })).status).toBe(206)
  })

  it('sends the strong ETag of the file in place of a weak one', async () => {
    const get = await asking({ ETag: 'W/"app"' })
    expect((await get()).headers.etag).toMatch(/^"[^"]+"$/)
  })

  it.each(['app', "'app'", 'w/"app"', '"a"b"'])(
    'sends an ETag that is malformed, %s, and no condition holds by it',
    async (tag) => {
      const get = await asking({ ETag: tag })
      const { headers, status } = await get({ 'if-none-match': tag })
      expect([status, headers.etag]).toEqual([200, tag])
      expect((await get({ ...RANGE, 'if-range': tag })).status).toBe(200)
      expect((await get({ 'if-match': tag })).status).toBe(412)
    },
  )

  it.each(['none', 'None', 'seconds', ''])(
    'has no ranges if the app has set Accept-Ranges: %s',
    async (value) => {
      const get = await asking({ 'Accept-Ranges': value })
      for (const range of ['bytes=4-6', 'bytes=0-0,4-6', 'bytes=99-']) {
        const { status, text, headers } = await get({ range })
        expect([status, text, headers['accept-ranges']]).toEqual([200, TEXT, value])
        expect(headers).not.toHaveProperty('content-range')
      }
      expect((await get(RANGE, 'HEAD')).headers['accept-ranges']).toBe(value)
      expect((await get({ 'if-match': '"other"' })).status).toBe(412)
    },
  )

  it.each(['bytes', 'seconds, bytes', 'BYTES'])('keeps Accept-Ranges: %s with the ranges', async (value) => {
    const get = await asking({ 'Accept-Ranges': value })
    const { status, text, headers } = await get(RANGE)
    expect([status, text, headers['accept-ranges']]).toEqual([206, '456', value])
  })

  it('keeps the other fields of content that the app has set', async () => {
    const fields = {
      'content-type': 'text/markdown',
      'content-disposition': 'attachment; filename="b.md"',
      'cache-control': 'max-age=7',
      'content-language': 'fr',
      expires: DATE,
      vary: 'Accept',
      'content-location': '/b',
    }
    const get = await asking(fields)
    expect((await get()).headers).toMatchObject(fields)
    expect((await get(RANGE)).headers).toMatchObject(fields)
    expect((await get({}, 'HEAD')).headers).toMatchObject(fields)
  })

  it('leaves out of a 304 what only describes content', async () => {
    const kept = {
      'cache-control': 'max-age=7',
      'content-location': '/b',
      expires: DATE,
      vary: 'Accept',
      'accept-ranges': 'bytes',
      etag: '"app"',
      'last-modified': DATE,
      'content-security-policy': "default-src 'none'",
      'content-security-policy-report-only': "default-src 'none'",
      'access-control-allow-origin': '*',
      'x-request-id': '7',
      'x-content-type-options': 'nosniff',
    }
    const dropped = {
      'content-type': 'text/markdown',
      'content-disposition': 'attachment',
      'content-language': 'fr',
      'repr-digest': 'sha-256=:AA==:',
      'content-digest': 'sha-256=:AA==:',
    }
    const get = await asking({ ...kept, ...dropped })
    for (const method of ['GET', 'HEAD']) {
      const { status, headers } = await get({ 'if-none-match': '"app"' }, method)
      const { date: _date, connection: _connection, 'keep-alive': _keepAlive, ...rest } = headers
      expect([status, rest]).toEqual([304, kept])
    }
    expect((await get()).headers).toMatchObject({ ...kept, ...dropped })
  })
})

describe('a response whose entity-tag is replaced after the plan for 304', () => {
  it('has every field and all bytes', async () => {
    const read: unknown[] = []
    const server = await serve(
      async (ctx, next) => {
        await retag(ctx, next)
        read.push(ctx.respond)
      },
      async (ctx) => {
        const content = await fileContent('a.txt', { root: directory })
        if (content !== null) await serveContent(ctx, content, { disposition: 'attachment' })
      },
    )
    const tag = (await fileContent('a.txt', { root: directory }))?.etag
    const { status, headers, text } = await ask(server, { headers: { 'if-none-match': tag } })
    expect([status, text, read]).toEqual([200, TEXT, [true]])
    expect(headers).toMatchObject({
      'accept-ranges': 'bytes',
      'content-length': '10',
      'content-disposition': 'attachment; filename="a.txt"',
    })
  })

  it('is left to the app that sets `ctx.respond` to false later', async () => {
    const server = await serve(
      async (ctx, next) => {
        await next()
        ctx.respond = false
        ctx.res.end('by the app')
      },
      ...overContent({}),
    )
    const { text } = await ask(server, { headers: { 'if-none-match': '*' } })
    expect(text).toBe('by the app')
  })
})

describe('rangeStream', () => {
  it('keeps the weak ETag of the app while that of the file is weak, too', async () => {
    const folder = join(directory, 'changing')
    await mkdir(folder)
    const server = await serve(rangeStream(), async (ctx, next) => {
      await writeFile(join(folder, 'a.txt'), TEXT)
      ctx.set('ETag', 'W/"app"')
      await serveStatic(folder)(ctx, next)
    })
    const tag = async () => (await ask(server, { path: '/a.txt' })).headers.etag
    // More than 50 ms may pass between the change and the response on a busy machine.
    await expect.poll(tag).toBe('W/"app"')
  })

  it('sends the modification date of the file if the app has set none', async () => {
    const path = join(directory, 'dated.txt')
    await writeFile(path, TEXT)
    await utimes(path, new Date(DATE), new Date(DATE))
    const server = await serve(rangeStream(), async (ctx) => {
      ctx.body = createReadStream(path)
    })
    expect((await ask(server)).headers['last-modified']).toBe(DATE)
  })
})
