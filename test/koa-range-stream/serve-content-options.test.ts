import { Readable } from 'node:stream'
import type Koa from 'koa'
import conditional from 'koa-conditional-get'
import type { Content } from 'koa-range-stream'
import { describe, expect, it } from 'vitest'
import { answer, BYTES, CountedContent, readMultipart, serveBehindConditional, slice } from './content.ts'
import { ask, serve } from './server.ts'

const named = (name: string | undefined, more: Partial<Content> = {}): Content => ({
  size: BYTES.length,
  etag: '"v1"',
  name,
  stream: (range) => Readable.from([slice(range)]),
  ...more,
})

describe('serveContent: options', () => {
  it.each([
    [200, {}],
    [206, { range: 'bytes=0-0' }],
    [304, { 'if-none-match': '"v1"' }],
  ])('sets Cache-Control on %i', async (expected, headers) => {
    const server = await serveBehindConditional(new CountedContent(), { cacheControl: 'public, max-age=60' })
    const reply = await ask(server, { headers })
    expect(reply.status).toBe(expected)
    expect(reply.headers['cache-control']).toBe('public, max-age=60')
  })

  it('leaves the Cache-Control of the app where the option is missing', async () => {
    const prepare: Koa.Middleware = (ctx, next) => {
      ctx.set('Cache-Control', 'private')
      return next()
    }
    const { headers } = await ask(await serve(prepare, answer(new CountedContent())))
    expect(headers['cache-control']).toBe('private')
  })

  it.each([
    ['attachment', 'clip.mp4', 'attachment; filename="clip.mp4"'],
    ['inline', 'clip.mp4', 'inline; filename="clip.mp4"'],
    [
      'attachment',
      'Größe €.mp4',
      'attachment; filename="Gr??e ?.mp4"; filename*=UTF-8\'\'Gr%C3%B6%C3%9Fe%20%E2%82%AC.mp4',
    ],
    ['inline', 'café.mp4', 'inline; filename="caf?.mp4"; filename*=UTF-8\'\'caf%C3%A9.mp4'],
    ['attachment', 'a"b.mp4', 'attachment; filename="a\\"b.mp4"'],
    ['attachment', undefined, 'attachment'],
  ] as const)('sets Content-Disposition %s for the name %s (RFC 6266)', async (disposition, name, value) => {
    const server = await serve(answer(named(name, { type: 'video/mp4' }), { disposition }))
    const { headers } = await ask(server)
    // A non-ASCII letter of latin1 may stay in filename; the rest must not.
    const sent = headers['content-disposition']?.replaceAll(/[\x80-\xff]/g, '?')
    expect(sent).toBe(value)
    expect(headers['content-type']).toBe('video/mp4')
  })

  it('sends no Content-Disposition without the option', async () => {
    const { headers } = await ask(await serve(answer(named('clip.mp4'))))
    expect(headers).not.toHaveProperty('content-disposition')
  })

  it.each([
    ['200', {}, 'video/mp4', '36'],
    ['206', { range: 'bytes=0-3' }, 'video/mp4', '4'],
  ])('calls setHeaders last for %s', async (_status, headers, type, length) => {
    const seen: unknown[] = []
    const content = new CountedContent()
    const setHeaders = (ctx: Koa.Context, given: Content) => {
      seen.push(ctx.response.get('Content-Type'), ctx.response.get('Content-Length'), given === content)
      ctx.set({ 'X-Size': `${given.size}`, 'Cache-Control': 'no-store' })
    }
    const server = await serveBehindConditional(content, { cacheControl: 'public', setHeaders })
    const reply = await ask(server, { headers })
    expect(seen).toEqual([type, length, true])
    expect(reply.headers).toMatchObject({ 'x-size': '36', 'cache-control': 'no-store' })
  })

  it.each([
    [304, 1, { 'if-none-match': '"v1"' }],
    [412, 0, { 'if-match': '"v0"' }],
    [416, 0, { range: 'bytes=36-' }],
  ])('for %i calls setHeaders %i times', async (status, calls, headers) => {
    let called = 0
    const setHeaders = () => {
      called++
    }
    const reply = await ask(await serveBehindConditional(new CountedContent(), { setHeaders }), { headers })
    expect([reply.status, called]).toEqual([status, calls])
  })

  it.each([
    ['full', {}],
    ['partial', { range: 'bytes=0-3' }],
    ['multipart', { range: 'bytes=0-0,9-9' }],
    ['not-modified', { 'if-none-match': '"v1"' }],
  ])('calls setHeaders with the kind of the plan: %s', async (kind, headers) => {
    const kinds: string[] = []
    const setHeaders = (_ctx: Koa.Context, _content: Content, given: string) => void kinds.push(given)
    await ask(await serveBehindConditional(new CountedContent(), { setHeaders }), { headers })
    expect(kinds).toEqual([kind])
  })

  it('hands maxRanges and maxPartialLength on to the planner', async () => {
    const server = await serve(answer(new CountedContent(), { maxRanges: 1, maxPartialLength: 5 }))
    const cut = await ask(server, { headers: { range: 'bytes=10-' } })
    expect([cut.status, cut.headers['content-range'], cut.text]).toEqual([206, 'bytes 10-14/36', 'abcde'])
    const several = await ask(server, { headers: { range: 'bytes=0-0,9-9' } })
    expect(several.status).toBe(200)
  })
})

describe('serveContent: media type', () => {
  it.each([
    ['the content says it', named('clip.mp4', { type: 'text/x-own' }), 'text/x-own'],
    ["the name's extension means it", named('clip.mp4'), 'video/mp4'],
    ['an extension in upper case means it', named('CLIP.WEBM'), 'video/webm'],
    ['the extension is unknown', named('clip.unheard-of'), 'application/octet-stream'],
    ['there is no extension', named('clip'), 'application/octet-stream'],
    ['a name is but an extension', named('mp4'), 'application/octet-stream'],
    ['there is no name', named(undefined), 'application/octet-stream'],
  ])('is sent where %s', async (_what, content, type) => {
    const server = await serve(answer(content))
    expect((await ask(server)).headers['content-type']).toBe(type)
    expect((await ask(server, { headers: { range: 'bytes=0-0' } })).headers['content-type']).toBe(type)
    expect((await ask(server, { method: 'HEAD' })).headers['content-type']).toBe(type)
  })

  it('is what the app has set, unless the content says it', async () => {
    const prepare: Koa.Middleware = (ctx, next) => {
      ctx.type = 'video/quicktime'
      return next()
    }
    const fromApp = await serve(conditional(), prepare, answer(named('clip.mp4')))
    expect((await ask(fromApp)).headers['content-type']).toBe('video/quicktime')
    const fromContent = await serve(conditional(), prepare, answer(named('clip.mp4', { type: 'video/webm' })))
    expect((await ask(fromContent)).headers['content-type']).toBe('video/webm')
  })
})

describe('serveContent: several ranges (RFC 9110 §14.6)', () => {
  it('answers a multipart body whose parts parse, in the order of the request', async () => {
    const content = new CountedContent()
    const headers = { range: 'bytes=30-,0-4,10-14' }
    const reply = await ask(await serveBehindConditional(content), { headers })
    expect(reply.status).toBe(206)
    expect(reply.headers).not.toHaveProperty('content-range')
    expect(reply.headers['content-length']).toBe(`${reply.body.length}`)
    const type = { 'Content-Type': 'video/mp4' }
    expect(readMultipart(reply.headers['content-type'], reply.body)).toEqual([
      { headers: { ...type, 'Content-Range': 'bytes 30-35/36' }, body: 'uvwxyz' },
      { headers: { ...type, 'Content-Range': 'bytes 0-4/36' }, body: '01234' },
      { headers: { ...type, 'Content-Range': 'bytes 10-14/36' }, body: 'abcde' },
    ])
  })

  it('tells each part the type that the extension means', async () => {
    const reply = await ask(await serve(answer(named('a.txt'))), { headers: { range: 'bytes=0-0,9-9' } })
    const parts = readMultipart(reply.headers['content-type'], reply.body)
    const type = 'text/plain; charset=utf-8'
    expect(parts.map(({ headers }) => headers['Content-Type'])).toEqual([type, type])
  })

  it('opens each part once, with its range', async () => {
    const content = new CountedContent()
    await ask(await serve(answer(content)), { headers: { range: 'bytes=0-0,9-9,5-6' } })
    expect(content.opened).toEqual([
      { start: 0, end: 0 },
      { start: 9, end: 9 },
      { start: 5, end: 6 },
    ])
  })
})
