import etag from '@koa/etag'
import Koa from 'koa'
import compress from 'koa-compress'
import conditional from 'koa-conditional-get'
import mount from 'koa-mount'
import { rangeStream, serveContent } from 'koa-range-stream'
import serveStatic from 'koa-static'
import staticCache from 'koa-static-cache'
import { expect, it } from 'vitest'
import { settledFile, temporaryDirectory } from './files.ts'
import { ask, serve } from './server.ts'

const TEXT = '0123456789'.repeat(200)

type Chain = (directory: string) => readonly Koa.Middleware[]

function inAppOfItsOwn(...middleware: readonly Koa.Middleware[]): Koa {
  const app = new Koa()
  for (const one of middleware) app.use(one)
  return app
}

const CHAINS: Readonly<Record<string, Chain>> = {
  'koa-static below': (root) => [rangeStream(), serveStatic(root)],
  'koa-static with defer below': (root) => [rangeStream(), serveStatic(root, { defer: true })],
  'koa-static-cache below': (root) => [rangeStream(), staticCache(root, { buffer: true })],
  '@koa/etag above': (root) => [etag(), rangeStream(), serveStatic(root)],
  '@koa/etag between': (root) => [rangeStream(), etag(), serveStatic(root)],
  '@koa/etag above, and koa-static with defer below': (root) => [
    etag(),
    rangeStream(),
    serveStatic(root, { defer: true }),
  ],
  '@koa/etag between, and koa-static-cache below': (root) => [
    rangeStream(),
    etag(),
    staticCache(root, { buffer: true }),
  ],
  'koa-compress above': (root) => [compress({ threshold: 0 }), rangeStream(), serveStatic(root)],
  'koa-compress above, and koa-static-cache below': (root) => [
    compress({ threshold: 0 }),
    rangeStream(),
    staticCache(root, { buffer: true }),
  ],
  'koa-compress between, for a client that accepts no coding': (root) => [
    rangeStream(),
    compress({ threshold: 0 }),
    serveStatic(root),
  ],
  'both mounted by koa-mount': (root) => [mount('/', inAppOfItsOwn(rangeStream(), serveStatic(root)))],
  'koa-static mounted by koa-mount': (root) => [rangeStream(), mount('/', serveStatic(root))],
  'koa-static-cache mounted by koa-mount': (root) => [
    rangeStream(),
    mount('/', inAppOfItsOwn(staticCache(root, { buffer: true }))),
  ],
  'itself twice': (root) => [rangeStream(), rangeStream(), serveStatic(root)],
}

async function serveFile(chain: Chain, ...above: readonly Koa.Middleware[]) {
  const root = await temporaryDirectory()
  await settledFile(root, 'a.txt', TEXT)
  const server = await serve(...above, ...chain(root))
  const send = (headers: Record<string, string>, method = 'GET') =>
    ask(server, { path: '/a.txt', method, headers })
  const { headers } = await send({ range: 'bytes=0-0' })
  return { server, send, tag: headers.etag ?? '', date: headers['last-modified'] ?? '' }
}

it.each(Object.entries(CHAINS))(
  'answers 304 without koa-conditional-get to a client that has the content, with %s',
  async (_, chain) => {
    const { server, send, tag, date } = await serveFile(chain)
    expect(tag).toMatch(/^"/)
    const validators = [
      { 'if-none-match': tag },
      { 'if-none-match': `"other", W/${tag}` },
      { 'if-modified-since': date },
      { 'if-none-match': tag, 'if-modified-since': date },
      { 'if-none-match': tag, 'if-modified-since': 'Sun, 06 Nov 1994 08:49:37 GMT' },
      { 'if-none-match': tag, 'cache-control': 'no-cache' },
    ]
    for (const headers of validators) {
      for (const range of [{}, { range: 'bytes=2-3' }, { range: 'bytes=99999-' }]) {
        const reply = await send({ ...headers, ...range })
        expect([reply.status, reply.text], JSON.stringify({ ...headers, ...range })).toEqual([304, ''])
        expect(reply.headers.etag).toBe(tag)
        for (const name of ['content-length', 'content-type', 'content-range'])
          expect(reply.headers).not.toHaveProperty(name)
      }
    }
    expect(server.errors).toEqual([])
  },
)

it.each(Object.entries(CHAINS))('sends changed content, and ranges of it, with %s', async (_, chain) => {
  const { send } = await serveFile(chain)
  const stale = { 'if-none-match': '"other"' }
  expect(await send(stale)).toMatchObject({ status: 200, text: TEXT })
  expect(await send({ ...stale, range: 'bytes=2-3' })).toMatchObject({ status: 206, text: '23' })
  const old = { 'if-modified-since': 'Sun, 06 Nov 1994 08:49:37 GMT' }
  expect(await send({ ...old, range: 'bytes=-2' })).toMatchObject({ status: 206, text: '89' })
  expect((await send({ 'if-match': '"other"' })).status).toBe(412)
})

it('answers a HEAD request with 304, too', async () => {
  const { send, tag } = await serveFile((root) => [rangeStream(), serveStatic(root)])
  expect((await send({ 'if-none-match': tag }, 'HEAD')).status).toBe(304)
  expect((await send({ 'if-none-match': '"other"' }, 'HEAD')).status).toBe(200)
})

const HANDLERS: Readonly<Record<string, Chain>> = {
  ...CHAINS,
  serveContent: () => [
    (ctx) =>
      serveContent(ctx, { size: 1, etag: '"a"', lastModified: 0, stream: () => new Blob(['a']).stream() }),
  ],
}

it.each(Object.entries(HANDLERS))(
  'leaves the 304 to koa-conditional-get if the app has it, with %s',
  async (_, chain) => {
    const seen: number[] = []
    const see: Koa.Middleware = async (ctx, next) => {
      await next()
      seen.push(ctx.status)
    }
    const { send, tag, date } = await serveFile(chain, see, conditional(), see)
    for (const headers of [{ 'if-none-match': tag }, { 'if-modified-since': date }]) {
      for (const range of [{}, { range: 'bytes=0-0' }]) {
        // koa-static-cache answers 304 itself when it can.
        const reload = { 'cache-control': 'no-cache' }
        seen.length = 0
        expect((await send({ ...headers, ...range, ...reload })).status).toBe(304)
        expect(seen).toEqual([200, 304])
      }
    }
  },
)

it('answers 304 from serveContent without koa-conditional-get, and opens nothing', async () => {
  let opened = 0
  const stream = () => {
    opened++
    return new Blob(['a']).stream()
  }
  const server = await serve((ctx) => serveContent(ctx, { size: 1, etag: '"a"', stream }))
  for (const headers of [{ 'if-none-match': '"a"' }, { 'if-none-match': '*', range: 'bytes=0-0' }])
    expect(await ask(server, { headers })).toMatchObject({ status: 304, text: '' })
  expect(opened).toBe(0)
})

it('answers 304 by an entity-tag that @koa/etag adds to a Buffer afterwards', async () => {
  const server = await serve(etag(), rangeStream(), (ctx) => {
    ctx.body = Buffer.from(TEXT)
  })
  const tag = (await ask(server)).headers.etag ?? ''
  expect((await ask(server, { headers: { 'if-none-match': tag } })).status).toBe(304)
  expect((await ask(server, { headers: { 'if-none-match': '"other"' } })).text).toBe(TEXT)
})

it.each<[string, Koa.Middleware]>([
  [
    'the body is replaced',
    async (ctx, next) => {
      await next()
      ctx.body = 'replaced'
    },
  ],
  [
    'the entity-tag is replaced',
    async (ctx, next) => {
      await next()
      ctx.etag = 'replaced'
    },
  ],
])('sends what middleware above has made of the response if %s', async (_, above) => {
  const server = await serve(above, rangeStream(), (ctx) => {
    ctx.etag = 'a'
    ctx.body = 'text'
  })
  expect((await ask(server, { headers: { 'if-none-match': '"a"' } })).status).toBe(200)
})

it('leaves a response to the app that has taken it over from Koa', async () => {
  const server = await serve(
    async (ctx, next) => {
      await next()
      ctx.respond = false
      ctx.length = 10
      ctx.res.end('by the app')
    },
    rangeStream(),
    (ctx) => {
      ctx.etag = 'a'
      ctx.body = 'text'
    },
  )
  const reply = await ask(server, { headers: { 'if-none-match': '"a"' } })
  expect([reply.status, reply.text]).toEqual([200, 'by the app'])
})

it('sends no Content-MD5 of the whole file with a part of it', async () => {
  const { send } = await serveFile((root) => [rangeStream(), staticCache(root, { buffer: true })])
  expect((await send({})).headers).toHaveProperty('content-md5')
  expect((await send({ range: 'bytes=0-1' })).headers).not.toHaveProperty('content-md5')
})

it('answers 304, and ranges with that range or with the whole file, over koa-static-cache without a buffer', async () => {
  // It streams by graceful-fs if that is installed. Such a stream is left to Koa.
  const { send, tag, date } = await serveFile((root) => [rangeStream(), staticCache(root)])
  for (const headers of [{ 'if-none-match': tag }, { 'if-modified-since': date }])
    expect(await send({ ...headers, range: 'bytes=2-3' })).toMatchObject({ status: 304, text: '' })
  const part = await send({ range: 'bytes=2-3' })
  expect([part.status, part.text]).toBeOneOf([
    [206, '23'],
    [200, TEXT],
  ])
})
