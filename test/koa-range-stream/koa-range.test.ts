import type koaRangeAsTyped from 'koa-range'
import defaultMiddleware, { rangeStream } from 'koa-range-stream'
import koaRange from 'koa-range-stream/koa-range'
import serveStatic from 'koa-static'
import { expect, it } from 'vitest'
import { settledFile, temporaryDirectory } from './files.ts'
import { ask, serve } from './server.ts'

const typed: typeof koaRangeAsTyped = koaRange

it('is the same function as the default export and under the subpath of koa-range', () => {
  expect(typed).toBe(defaultMiddleware)
  expect(typed).toHaveLength(2)
})

it('serves ranges when it is mounted as koa-range is, without a call', async () => {
  const directory = await temporaryDirectory()
  await settledFile(directory, 'a.txt', '0123456789')
  const server = await serve(koaRange, serveStatic(directory, { defer: true }))
  const reply = await ask(server, { path: '/a.txt', headers: { range: 'bytes=-3' } })
  expect([reply.status, reply.text]).toEqual([206, '789'])
})

it('fails each request when rangeStream is mounted without a call, and reports the call that is missing', async () => {
  // @ts-expect-error: it takes options and is no middleware.
  const server = await serve(rangeStream, (ctx) => {
    ctx.body = 'never reached'
  })
  expect((await ask(server)).status).toBe(500)
  expect((await ask(server, { method: 'POST' })).status).toBe(500)
  expect(server.errors).toHaveLength(2)
  for (const error of server.errors) {
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('rangeStream()')
  }
})
