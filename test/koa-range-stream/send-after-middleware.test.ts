import { truncate } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type Koa from 'koa'
import { fileContent, serveContent } from 'koa-range-stream'
import { describe, expect, it } from 'vitest'
import { patterned, settledFile, temporaryDirectory } from './files.ts'
import { ask, drain, open, serve } from './server.ts'

const SIZE = 4 * 1024 * 1024

async function serveFile(size: number, ...upstream: readonly Koa.Middleware[]) {
  const bytes = patterned(size)
  const path = await settledFile(await temporaryDirectory(), 'clip.mp4', bytes)
  const contexts: Koa.Context[] = []
  const server = await serve(...upstream, async (ctx) => {
    contexts.push(ctx)
    const content = await fileContent(path)
    if (content !== null) await serveContent(ctx, content)
  })
  return { bytes, contexts, path, server }
}

/** The first response of an app is Koa's. */
const TWICE = [1, 2]

describe('a body of more than 64 KiB', () => {
  it('is sent without Koa from the second response of an app on', async () => {
    const { bytes, contexts, server } = await serveFile(SIZE)
    for (const _time of TWICE) expect((await ask(server)).body.equals(bytes)).toBe(true)
    expect(contexts.map(({ respond }) => respond === false)).toEqual([false, true])
  })

  it('is not sent by a middleware upstream that reads ctx.respond and everything else', async () => {
    const seen: unknown[] = []
    const { bytes, server } = await serveFile(SIZE, async (ctx, next) => {
      await next()
      seen.push(ctx.respond, ctx.writable, ctx.headerSent, { ...ctx }.respond)
      await new Promise(setImmediate)
      ctx.set('X-Later', `${ctx.headerSent}`)
    })
    for (const _time of TWICE) {
      const reply = await ask(server)
      expect(reply.headers['x-later']).toBe('false')
      expect(reply.body.equals(bytes)).toBe(true)
    }
    expect(seen).toEqual([undefined, true, false, undefined, undefined, true, false, undefined])
  })

  it.each<[string, (ctx: Koa.Context) => void, number, string]>([
    ['another body', (ctx) => (ctx.body = 'other'), 200, 'other'],
    ['another status without a body', (ctx) => (ctx.status = 204), 204, ''],
  ])('is not sent if a middleware upstream sets %s', async (_what, change, status, text) => {
    const { server } = await serveFile(SIZE, async (ctx, next) => {
      await next()
      change(ctx)
    })
    for (const _time of TWICE) expect(await ask(server)).toMatchObject({ status, text })
  })

  it('is not sent if a middleware upstream has taken the response over from Koa', async () => {
    const { server } = await serveFile(SIZE, async (ctx, next) => {
      await next()
      ctx.respond = false
      ctx.res.removeHeader('Content-Length')
      ctx.res.end('mine')
    })
    for (const _time of TWICE) expect((await ask(server)).text).toBe('mine')
  })

  it('ends with its events if a middleware upstream listens for them', async () => {
    let ended = 0
    const { bytes, server } = await serveFile(SIZE, async (ctx, next) => {
      await next()
      if (ctx.body instanceof Readable) ctx.body.once('end', () => ended++)
    })
    for (const _time of TWICE) expect((await ask(server)).body.equals(bytes)).toBe(true)
    await expect.poll(() => ended).toBe(2)
  })

  it('reports one error to the app, and ends the connection, if its file is truncated', async () => {
    // More than the sockets between server and client hold.
    const { path, server } = await serveFile(8 * SIZE)
    await ask(server, { headers: { range: 'bytes=0-99999' } })
    const response = await open(server)
    await truncate(path, 1000)
    await expect(drain(response)).rejects.toMatchObject({ code: 'ECONNRESET' })
    const codes = () => server.errors.map((error) => ('code' in error ? error.code : error.message))
    await expect.poll(codes).toContain('CONTENT_TRUNCATED')
    expect(codes().filter((code) => code === 'CONTENT_TRUNCATED')).toHaveLength(1)
  })

  it('is piped to a response whose end method was replaced', async () => {
    const ends: string[] = []
    const { bytes, server } = await serveFile(SIZE, (ctx, next) => {
      const end = ctx.res.end.bind(ctx.res)
      ctx.res.end = () => {
        ends.push(ctx.path)
        return end()
      }
      return next()
    })
    for (const path of ['/1', '/2']) expect((await ask(server, { path })).body.equals(bytes)).toBe(true)
    expect(ends).toEqual(['/1', '/2'])
  })
})
