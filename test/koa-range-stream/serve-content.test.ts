import type Koa from 'koa'
import { serveContent } from 'koa-range-stream'
import { describe, expect, it } from 'vitest'
import { answer, BYTES, CountedContent, LAST_MODIFIED, serveBehindConditional } from './content.ts'
import { ask, retag, serve } from './server.ts'

const VALIDATORS = { 'accept-ranges': 'bytes', etag: '"v1"', 'last-modified': LAST_MODIFIED }

describe('serveContent behind koa-conditional-get', () => {
  it('answers 200 with all fields and all bytes', async () => {
    const server = await serveBehindConditional(new CountedContent())
    const { status, headers, body } = await ask(server)
    expect(status).toBe(200)
    expect(headers).toMatchObject({ ...VALIDATORS, 'content-type': 'video/mp4', 'content-length': '36' })
    expect(headers).not.toHaveProperty('content-range')
    expect(headers).not.toHaveProperty('transfer-encoding')
    expect(body).toEqual(BYTES)
  })

  it('answers 206 with the bytes of the range (RFC 9110 §15.3.7.1)', async () => {
    const content = new CountedContent()
    const { status, headers, text } = await ask(await serveBehindConditional(content), {
      headers: { range: 'bytes=10-19' },
    })
    expect(status).toBe(206)
    expect(headers).toMatchObject({
      ...VALIDATORS,
      'content-type': 'video/mp4',
      'content-length': '10',
      'content-range': 'bytes 10-19/36',
    })
    expect(text).toBe('abcdefghij')
    expect(content.opened).toEqual([{ start: 10, end: 19 }])
  })

  it('answers 416 with the complete length and a body for people (RFC 9110 §15.5.17)', async () => {
    const server = await serveBehindConditional(new CountedContent())
    const { status, headers, text } = await ask(server, { headers: { range: 'bytes=36-' } })
    expect(status).toBe(416)
    expect(headers).toMatchObject({ 'accept-ranges': 'bytes', 'content-range': 'bytes */36' })
    expect(headers['content-type']).toBe('application/problem+json')
    expect(headers['content-length']).toBe(`${text.length}`)
    expect(JSON.parse(text)).toMatchObject({ status: 416, title: expect.any(String) })
    expect(headers).not.toHaveProperty('etag')
    expect(headers).not.toHaveProperty('last-modified')
  })

  it('answers 412 with a body for people (RFC 9110 §15.5.13)', async () => {
    const server = await serveBehindConditional(new CountedContent())
    const { status, headers, text } = await ask(server, { headers: { 'if-match': '"v0"' } })
    expect(status).toBe(412)
    expect(headers['content-type']).toBe('application/problem+json')
    expect(JSON.parse(text)).toMatchObject({ status: 412, title: expect.any(String) })
    expect(headers).not.toHaveProperty('etag')
    expect(headers).not.toHaveProperty('content-range')
  })

  it.each([
    ['412', { 'if-match': '"v0"' }],
    ['416', { range: 'bytes=36-' }],
  ])('removes the fields that the app has set for a 200 when it answers %s', async (_status, headers) => {
    const prepare: Koa.Middleware = async (ctx, next) => {
      ctx.set({ Expires: LAST_MODIFIED, ETag: '"app"', Vary: 'Origin' })
      await next()
    }
    const options = { cacheControl: 'max-age=60', disposition: 'inline' } as const
    const server = await serve(prepare, answer({ ...bare(), name: 'a.mp4' }, options))
    const reply = await ask(server, { headers })
    expect(reply.headers).not.toHaveProperty('cache-control')
    expect(reply.headers).not.toHaveProperty('content-disposition')
    expect(reply.headers).not.toHaveProperty('expires')
    expect(reply.headers).not.toHaveProperty('etag')
    expect(reply.headers['vary']).toBe('Origin')
  })

  it('answers HEAD with the fields of the 200 and no byte, whatever Range says (RFC 9110 §14.2)', async () => {
    const server = await serveBehindConditional(new CountedContent())
    const { status, headers, body } = await ask(server, { method: 'HEAD', headers: { range: 'bytes=0-0' } })
    expect(status).toBe(200)
    expect(headers).toMatchObject({ ...VALIDATORS, 'content-type': 'video/mp4', 'content-length': '36' })
    expect(headers).not.toHaveProperty('content-range')
    expect(body).toHaveLength(0)
  })

  it.each([
    ['If-None-Match', { 'if-none-match': 'W/"v1"' }],
    [
      'If-None-Match beside an old If-Modified-Since',
      { 'if-none-match': '"v1"', 'if-modified-since': 'Sun, 06 Nov 1994 08:49:37 GMT' },
    ],
    ['If-None-Match of a reload', { 'if-none-match': '"v1"', 'cache-control': 'no-cache' }],
    ['If-None-Match with a comma in another tag', { 'if-none-match': '"a,b", "v1"' }],
    ['If-Modified-Since', { 'if-modified-since': LAST_MODIFIED }],
  ])('answers 304 to %s (RFC 9110 §15.4.5)', async (_what, headers) => {
    const reply = await ask(
      await serveBehindConditional(new CountedContent(), { cacheControl: 'no-cache' }),
      { headers },
    )
    expect(reply.status).toBe(304)
    expect(reply.headers).toMatchObject({ ...VALIDATORS, 'cache-control': 'no-cache' })
    expect(Object.keys(reply.headers).filter((name) => name.startsWith('content-'))).toEqual([])
    expect(reply.body).toHaveLength(0)
  })

  it.each([
    ['a date that only Date.parse reads', { 'if-modified-since': '2030-01-01' }],
    [
      'another tag beside a date that would hold',
      { 'if-none-match': '"v0"', 'if-modified-since': LAST_MODIFIED },
    ],
  ])('answers 200 to %s', async (_what, headers) => {
    const { status } = await ask(await serveBehindConditional(new CountedContent()), { headers })
    expect(status).toBe(200)
  })

  it.each([
    ['206', 'bytes=0-0'],
    ['416', 'bytes=99-'],
  ])('prefers 304 to %s (RFC 9110 §13.2.2)', async (_status, range) => {
    const server = await serveBehindConditional(new CountedContent())
    const { status, headers } = await ask(server, { headers: { range, 'if-none-match': '"v1"' } })
    expect(status).toBe(304)
    expect(headers).not.toHaveProperty('content-range')
  })

  it.each([
    ['304', { headers: { 'if-none-match': '"v1"' } }],
    ['304 despite a Range', { headers: { 'if-none-match': '"v1"', range: 'bytes=0-0' } }],
    ['412', { headers: { 'if-match': '"v0"' } }],
    ['416', { headers: { range: 'bytes=36-' } }],
    ['HEAD', { method: 'HEAD' }],
    ['HEAD with 304', { method: 'HEAD', headers: { 'if-none-match': '"v1"' } }],
    ['HEAD with 412', { method: 'HEAD', headers: { 'if-match': '"v0"' } }],
  ])('opens nothing for %s', async (_what, request) => {
    const content = new CountedContent()
    await ask(await serveBehindConditional(content), request)
    expect(content.opened).toEqual([])
  })

  it('answers 412 to PUT where the tag is another', async () => {
    const content = new CountedContent()
    const server = await serveBehindConditional(content)
    const { status } = await ask(server, { method: 'PUT', headers: { 'if-match': '"v0"' } })
    expect(status).toBe(412)
  })
})

describe('serveContent without koa-conditional-get', () => {
  it('sends the whole content if middleware replaces its entity-tag after the plan for 304', async () => {
    const content = new CountedContent()
    const { status, headers, body } = await ask(await serve(retag, answer(content)), {
      headers: { 'if-none-match': '"v1"', range: 'bytes=0-4' },
    })
    expect(status).toBe(200)
    expect(headers).toMatchObject({ 'content-type': 'video/mp4', 'content-length': '36' })
    expect(body).toEqual(BYTES)
    expect(content.opened).toEqual([undefined])
  })

  it('tells its verdict by ctx.fresh', async () => {
    const verdicts: boolean[] = []
    const server = await serve(async (ctx) => {
      await serveContent(ctx, new CountedContent())
      verdicts.push(ctx.fresh, ctx.stale)
    })
    await ask(server, { headers: { 'if-none-match': '"v1"', 'cache-control': 'no-cache' } })
    await ask(server)
    expect(verdicts).toEqual([true, false, false, true])
  })

  it('tells koa-compress to leave the response alone', async () => {
    const flags: unknown[] = []
    const server = await serve(async (ctx) => {
      await serveContent(ctx, new CountedContent())
      flags.push(ctx['compress'])
    })
    await ask(server, { headers: { range: 'bytes=0-0' } })
    expect(flags).toEqual([false])
  })
})

function bare() {
  const content = new CountedContent()
  const { size, etag, lastModified, type } = content
  return { size, etag, lastModified, type, stream: content.stream.bind(content) }
}
