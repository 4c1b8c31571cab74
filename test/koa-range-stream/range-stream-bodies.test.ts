import { Readable } from 'node:stream'
import type Koa from 'koa'
import conditional from 'koa-conditional-get'
import { type Content, rangeStream } from 'koa-range-stream'
import { describe, expect, it } from 'vitest'
import { BYTES, CountedContent } from './content.ts'
import { ask, serve } from './server.ts'

function serveBody(body: () => unknown, prepare: (ctx: Koa.Context) => void = () => undefined) {
  return serve(conditional(), rangeStream(), (ctx) => {
    ctx.body = body()
    prepare(ctx)
  })
}

const TEXT = 'Größe 5 €'

describe('rangeStream over other bodies', () => {
  it.each([
    ['a Buffer', () => Buffer.from(TEXT), 'application/octet-stream'],
    ['a string, counted in bytes', () => TEXT, 'text/plain; charset=utf-8'],
    ['a Blob', () => new Blob([TEXT]), 'application/octet-stream'],
    ['a Blob with a type', () => new Blob([TEXT], { type: 'text/css' }), 'text/css; charset=utf-8'],
  ])('serves ranges of %s', async (_what, body, type) => {
    const bytes = Buffer.from(TEXT)
    const server = await serveBody(body)
    const part = await ask(server, { headers: { range: 'bytes=3-5' } })
    expect([part.status, part.body]).toEqual([206, bytes.subarray(3, 6)])
    expect(part.headers).toMatchObject({
      'content-type': type,
      'content-length': '3',
      'content-range': `bytes 3-5/${bytes.length}`,
    })
    const suffix = await ask(server, { headers: { range: 'bytes=-3' } })
    expect(suffix.text).toBe('€')
    const whole = await ask(server)
    expect([whole.status, whole.text]).toEqual([200, TEXT])
    expect(whole.headers).toMatchObject({
      'accept-ranges': 'bytes',
      'content-type': type,
      'content-length': `${bytes.length}`,
    })
    const outside = await ask(server, { headers: { range: `bytes=${bytes.length}-` } })
    expect([outside.status, outside.headers['content-range']]).toEqual([416, `bytes */${bytes.length}`])
    const head = await ask(server, { method: 'HEAD', headers: { range: 'bytes=0-0' } })
    expect([head.status, head.headers['content-length'], head.headers['content-type']]).toEqual([
      200,
      `${bytes.length}`,
      type,
    ])
  })

  it.each([
    ['a Buffer', () => Buffer.alloc(0)],
    ['a string', () => ''],
    ['a Blob', () => new Blob([])],
  ])('serves %s without bytes whole', async (_what, body) => {
    const reply = await ask(await serveBody(body), { headers: { range: 'bytes=0-' } })
    expect([reply.status, reply.headers['content-length'], reply.text]).toEqual([200, '0', ''])
  })

  it('evaluates the validators that the app has set', async () => {
    const date = 'Sun, 01 Jun 2025 00:00:00 GMT'
    const server = await serveBody(
      () => TEXT,
      (ctx) => ctx.set({ ETag: '"app"', 'Last-Modified': date }),
    )
    const status = async (headers: Record<string, string>) => (await ask(server, { headers })).status
    expect(await status({ 'if-none-match': '"app"' })).toBe(304)
    expect(await status({ 'if-modified-since': date })).toBe(304)
    expect(await status({ 'if-match': '"x"' })).toBe(412)
    expect(await status({ range: 'bytes=0-0', 'if-range': '"app"' })).toBe(206)
    expect(await status({ range: 'bytes=0-0', 'if-range': date })).toBe(206)
    expect(await status({ range: 'bytes=0-0', 'if-range': '"x"' })).toBe(200)
  })

  it('serves a Content with its own type and validators', async () => {
    const content = new CountedContent()
    const server = await serveBody(() => content)
    const whole = await ask(server)
    expect([whole.status, whole.text]).toEqual([200, BYTES.toString()])
    expect(whole.headers).toMatchObject({ 'content-type': 'video/mp4', etag: '"v1"', 'content-length': '36' })
    const part = await ask(server, { headers: { range: 'bytes=-4' } })
    expect([part.status, part.text, part.headers['content-type']]).toEqual([206, 'wxyz', 'video/mp4'])
    expect(content.opened).toEqual([undefined, { start: 32, end: 35 }])
  })

  it('opens a Content for neither 304, 412, 416 nor HEAD', async () => {
    const content = new CountedContent()
    const server = await serveBody(() => content)
    const replies = [
      await ask(server, { headers: { 'if-none-match': '"v1"' } }),
      await ask(server, { headers: { 'if-match': '"v0"' } }),
      await ask(server, { headers: { range: 'bytes=36-' } }),
      await ask(server, { method: 'HEAD' }),
    ]
    expect(replies.map(({ status }) => status)).toEqual([304, 412, 416, 200])
    expect(content.opened).toEqual([])
  })

  it('takes the media type of a Content from its name', async () => {
    const stream = () => Readable.from([BYTES])
    const server = await serveBody((): Content => ({ size: BYTES.length, name: 'clip.webm', stream }))
    expect((await ask(server)).headers['content-type']).toBe('video/webm')
  })

  it.each([
    [2, 200, 3],
    [3, 500, 3],
  ])(
    'plans content again that has changed %i times: %i after %i attempts',
    async (changes, status, attempts) => {
      let attempt = 0
      const stream = () => {
        attempt++
        const changed = Object.assign(new Error('changed'), { code: 'CONTENT_CHANGED' })
        return attempt <= changes ? Promise.reject(changed) : Readable.from([BYTES])
      }
      const reply = await ask(await serveBody(() => ({ size: BYTES.length, type: 'video/mp4', stream })))
      expect([reply.status, attempt]).toEqual([status, attempts])
    },
  )

  it('does not try again what fails for another reason', async () => {
    let attempts = 0
    const stream = () => {
      attempts++
      return Promise.reject(new Error('no'))
    }
    const reply = await ask(await serveBody(() => ({ size: 1, stream })))
    expect([reply.status, attempts]).toEqual([500, 1])
  })
})
