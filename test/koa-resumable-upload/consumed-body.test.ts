import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import Koa from 'koa'
import { requireUnreadBody, resumableUpload, tusUpload } from 'koa-resumable-upload'
import type { UploadStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { serve } from '../support/app.ts'
import { appending, begin, RawRequest, send, startUploads, storeOf } from './client.ts'
import { appending as appendingByTus, VERSION } from './tus-client.ts'

/** Middleware as apps mount it above uploads by mistake. */
const READERS: readonly (readonly [string, Koa.Middleware])[] = [
  [
    'reads the body to its end, as body parsers do',
    async ({ req }, next) => {
      await text(req)
      await next()
    },
  ],
  [
    'reads a part of the body',
    async ({ req }, next) => {
      await once(req, 'readable')
      req.read(2)
      await next()
    },
  ],
  [
    'pipes the body to another stream',
    async ({ req }, next) => {
      req.pipe(new PassThrough())
      await next()
    },
  ],
  [
    'listens for the body',
    async ({ req }, next) => {
      req.on('data', () => {}).pause()
      await next()
    },
  ],
  [
    'discards the body',
    async ({ req }, next) => {
      req.resume()
      await next()
    },
  ],
]

interface Started {
  readonly url: string
  readonly errors: readonly (Error & { code?: string })[]
}

/** An app whose first middleware is `reader`, except for requests with X-Spare, and what it emits as errors. */
async function start(reader: Koa.Middleware, upload: Koa.Middleware): Promise<Started> {
  const app = new Koa()
  const errors: Error[] = []
  app.on('error', (error: Error) => errors.push(error))
  app.use((ctx, next) => (ctx.get('X-Spare') === '' ? reader(ctx, next) : next()))
  app.use(upload)
  return { url: await serve(app.callback()), errors }
}

function draft(store: UploadStore): Koa.Middleware {
  return resumableUpload(store, { resolveTarget: ({ path }) => ({ key: path.split('/').at(-1) ?? '' }) })
}

const CHUNKED = { 'Transfer-Encoding': 'chunked' }
const HELLO = '5\r\nhello\r\n0\r\n\r\n'

const chunked = (url: string, method: string, path: string, fields: Record<string, string>) =>
  new RawRequest(url, method, path, { ...CHUNKED, ...fields }).write(HELLO).answer

async function keysOf(store: UploadStore): Promise<string[]> {
  return (await store.list()).items.map(({ key }) => key)
}

describe.each(READERS)('below middleware that %s', (_, reader) => {
  it('a creation is 500 with an error that names the cause, and stores nothing', async () => {
    const store = await storeOf('memory')
    const { url, errors } = await start(reader, draft(store))
    const answers = [
      await chunked(url, 'PUT', '/a', { 'Upload-Complete': '?1' }),
      await chunked(url, 'PUT', '/a', { 'Upload-Complete': '?0' }),
      await send(url, 'PUT', '/a', { 'Upload-Complete': '?1' }, 'hello'),
    ]
    expect(answers.map(({ status, headers }) => [status, headers.get('location')])).toEqual(
      Array(3).fill([500, undefined]),
    )
    expect(errors.map(({ code }) => code)).toEqual(Array(3).fill('BODY_CONSUMED'))
    expect(errors[0]?.message).toMatch(/^The body of PUT \/a .* by other middleware.*above body parsers/)
    expect(await keysOf(store)).toEqual([])
  })

  it('an append is 500 with that error, and the upload stays as it was', async () => {
    const store = await storeOf('memory')
    const { url, errors } = await start(reader, draft(store))
    const path = await begin(url, 'hel', { 'X-Spare': '1' })
    expect((await chunked(url, 'PATCH', path, appending(3, '?1'))).status).toBe(500)
    expect(errors.map(({ code }) => code)).toEqual(['BODY_CONSUMED'])
    expect((await send(url, 'HEAD', path)).headers.get('upload-offset')).toBe('3')
    expect(await keysOf(store)).toEqual([])
  })
})

describe('a body parser above tus', () => {
  it.each([
    ['in chunks', CHUNKED, HELLO],
    ['with Content-Length', { 'Content-Length': '5' }, 'hello'],
  ])('makes content %s a 500 that names the cause, and stores nothing', async (_, fields, body) => {
    const store = await storeOf('memory')
    const [, reader] = READERS[0] ?? []
    if (reader === undefined) throw new Error('There is no reader.')
    const { url, errors } = await start(reader, tusUpload(store))
    const length = { 'Upload-Length': '5' }
    const post = new RawRequest(url, 'POST', '/files', {
      ...VERSION,
      ...length,
      ...fields,
      'Content-Type': 'application/offset+octet-stream',
    }).write(body)
    const created = await post.answer
    expect(created.status).toBe(500)
    const path = (await send(url, 'POST', '/files', { ...VERSION, ...length })).headers.get('location') ?? ''
    const patch = new RawRequest(url, 'PATCH', path, { ...appendingByTus(0), ...fields }).write(body)
    const appended = await patch.answer
    expect(appended.status).toBe(500)
    expect(errors.map(({ code }) => code)).toEqual(['BODY_CONSUMED', 'BODY_CONSUMED'])
    expect((await send(url, 'HEAD', path, VERSION)).headers.get('upload-offset')).toBe('0')
    expect(await keysOf(store)).toEqual([])
  })
})

describe('a body that no middleware has read', () => {
  it('passes however it is sent, also after the app has waited', async () => {
    const store = await storeOf('memory')
    const { url } = await start(async (_, next) => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      await next()
    }, draft(store))
    expect((await chunked(url, 'PUT', '/a', { 'Upload-Complete': '?1' })).status).toBe(201)
    expect((await send(url, 'PUT', '/b', { 'Upload-Complete': '?1' }, 'hello')).status).toBe(201)
    expect((await send(url, 'PUT', '/c', { 'Upload-Complete': '?1' }, '')).status).toBe(201)
    const sizes = (await store.list()).items.map(({ key, size }) => [key, size])
    expect(sizes).toEqual([
      ['a', 5],
      ['b', 5],
      ['c', 0],
    ])
  })

  it('of no bytes needs no reading, whether or not a parser has looked at it', async () => {
    const store = await storeOf('memory')
    const url = await startUploads(store)
    expect((await send(url, 'POST', '/files/a', { 'Upload-Complete': '?0' }, '')).status).toBe(201)
  })

  it('is what requireUnreadBody asks for, in handlers of the app', async () => {
    const app = new Koa()
    app.silent = true
    app.use(async (ctx) => {
      if (ctx.path === '/read') await text(ctx.req)
      requireUnreadBody(ctx.req)
      ctx.body = await text(ctx.req)
    })
    const url = await serve(app.callback())
    expect((await send(url, 'PUT', '/', {}, 'hello')).body).toBe('hello')
    expect((await send(url, 'PUT', '/read', {}, 'hello')).status).toBe(500)
  })
})
