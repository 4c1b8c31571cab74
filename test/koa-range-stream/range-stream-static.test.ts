import { rename, writeFile } from 'node:fs/promises'
import conditional from 'koa-conditional-get'
import { type RangeStreamOptions, rangeStream } from 'koa-range-stream'
import serveStatic from 'koa-static'
import { describe, expect, it } from 'vitest'
import { BYTES, readMultipart } from './content.ts'
import { settle, settledFile, temporaryDirectory } from './files.ts'
import { ask, type Reply, serve } from './server.ts'

const CLIP = { path: '/clip.mp4' }

/** A koa-static with one file of 36 bytes, behind koa-conditional-get and rangeStream, as often as asked. */
async function staticServer(options: RangeStreamOptions = {}, times = 1) {
  const directory = await temporaryDirectory()
  const path = await settledFile(directory, 'clip.mp4', BYTES)
  const mounted = Array.from({ length: times }, () => rangeStream(options))
  return { path, directory, server: await serve(conditional(), ...mounted, serveStatic(directory)) }
}

describe('rangeStream over koa-static', () => {
  it('answers 200 with Accept-Ranges and a strong ETag', async () => {
    const { server } = await staticServer()
    const { status, headers, body } = await ask(server, CLIP)
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'accept-ranges': 'bytes',
      'content-type': 'video/mp4',
      'content-length': '36',
      'cache-control': 'max-age=0',
    })
    expect(headers.etag).toMatch(/^"[^"]+"$/)
    expect(body).toEqual(BYTES)
  })

  it.each([
    ['bytes=10-19', 'bytes 10-19/36', 'abcdefghij'],
    ['bytes=-4', 'bytes 32-35/36', 'wxyz'],
    ['bytes=30-', 'bytes 30-35/36', 'uvwxyz'],
    ['bytes=34-99', 'bytes 34-35/36', 'yz'],
    ['bytes=0-4,5-9', 'bytes 0-9/36', '0123456789'],
  ])('answers %s with 206', async (range, contentRange, text) => {
    const { server } = await staticServer()
    const reply = await ask(server, { ...CLIP, headers: { range } })
    expect([reply.status, reply.text]).toEqual([206, text])
    expect(reply.headers).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': `${text.length}`,
      'content-range': contentRange,
    })
  })

  it('answers several ranges with multipart/byteranges', async () => {
    const { server } = await staticServer()
    const { headers, body } = await ask(server, { ...CLIP, headers: { range: 'bytes=20-24,0-4' } })
    expect(headers['content-length']).toBe(`${body.length}`)
    expect(readMultipart(headers['content-type'], body)).toEqual([
      { headers: { 'Content-Type': 'video/mp4', 'Content-Range': 'bytes 20-24/36' }, body: 'klmno' },
      { headers: { 'Content-Type': 'video/mp4', 'Content-Range': 'bytes 0-4/36' }, body: '01234' },
    ])
  })

  it('answers 416 when the range starts past the end', async () => {
    const { server } = await staticServer()
    const { status, headers } = await ask(server, { ...CLIP, headers: { range: 'bytes=36-' } })
    expect(status).toBe(416)
    expect(headers['content-range']).toBe('bytes */36')
    expect(headers['content-type']).toBe('application/problem+json')
    expect(headers).not.toHaveProperty('cache-control')
    expect(headers).not.toHaveProperty('last-modified')
  })

  it('answers HEAD as a GET without Range, and sends no byte', async () => {
    const { server } = await staticServer()
    const get = await ask(server, CLIP)
    const head = await ask(server, { ...CLIP, method: 'HEAD', headers: { range: 'bytes=0-4' } })
    expect([head.status, head.body.length]).toEqual([200, 0])
    expect(withoutDate(head)).toEqual(withoutDate(get))
  })

  it('answers 304 to its own validators, Range or not', async () => {
    const { server } = await staticServer()
    const { etag = '', 'last-modified': date = '' } = (await ask(server, CLIP)).headers
    const byTag = await ask(server, { ...CLIP, headers: { 'if-none-match': etag, range: 'bytes=0-4' } })
    expect([byTag.status, byTag.headers.etag, byTag.body.length]).toEqual([304, etag, 0])
    const byDate = await ask(server, { ...CLIP, headers: { 'if-modified-since': date } })
    expect(byDate.status).toBe(304)
    const byOldDate = await ask(server, {
      ...CLIP,
      headers: { 'if-none-match': etag, 'if-modified-since': 'Sun, 06 Nov 1994 08:49:37 GMT' },
    })
    expect(byOldDate.status).toBe(304)
  })

  it('honours If-Range and If-Match with its own ETag', async () => {
    const { server } = await staticServer()
    const { etag = '' } = (await ask(server, CLIP)).headers
    const status = async (headers: Record<string, string>) =>
      (await ask(server, { ...CLIP, headers: { range: 'bytes=0-4', ...headers } })).status
    expect(await status({ 'if-range': etag })).toBe(206)
    expect(await status({ 'if-range': '"x"' })).toBe(200)
    expect(await status({ 'if-match': etag })).toBe(206)
    expect(await status({ 'if-match': '"x"' })).toBe(412)
  })

  it('keeps the ETag that the app has set', async () => {
    const directory = await temporaryDirectory()
    await settledFile(directory, 'clip.mp4', BYTES)
    const setHeaders = (res: { setHeader(name: string, value: string): unknown }) => {
      res.setHeader('ETag', '"app"')
    }
    const server = await serve(conditional(), rangeStream(), serveStatic(directory, { setHeaders }))
    const reply = await ask(server, { ...CLIP, headers: { 'if-range': '"app"', range: 'bytes=0-0' } })
    expect([reply.status, reply.headers.etag]).toEqual([206, '"app"'])
  })

  it('serves an index page and an empty file', async () => {
    const { directory, server } = await staticServer()
    await settledFile(directory, 'index.html', '<p>hello</p>')
    await settledFile(directory, 'empty.mp4', '')
    const page = await ask(server, { path: '/', headers: { range: 'bytes=3-7' } })
    expect([page.status, page.text, page.headers['content-type']]).toEqual([
      206,
      'hello',
      'text/html; charset=utf-8',
    ])
    const empty = await ask(server, { path: '/empty.mp4', headers: { range: 'bytes=0-' } })
    expect([empty.status, empty.headers['content-length'], empty.body.length]).toEqual([200, '0', 0])
  })

  it('leaves a 404 of koa-static alone', async () => {
    const { server } = await staticServer()
    const { status, headers } = await ask(server, { path: '/missing.mp4', headers: { range: 'bytes=0-' } })
    expect(status).toBe(404)
    expect(headers).not.toHaveProperty('accept-ranges')
  })

  it('serves the new file when it is replaced between requests', async () => {
    const { path, server } = await staticServer()
    const { etag = '' } = (await ask(server, CLIP)).headers
    await writeFile(`${path}.new`, 'something else')
    await rename(`${path}.new`, path)
    await settle()
    const after = await ask(server, { ...CLIP, headers: { range: 'bytes=0-8', 'if-range': etag } })
    expect([after.status, after.text]).toEqual([200, 'something else'])
    expect(after.headers.etag).not.toBe(etag)
    const range = await ask(server, { ...CLIP, headers: { range: 'bytes=0-8' } })
    expect([range.text, range.headers['content-range']]).toEqual(['something', 'bytes 0-8/14'])
  })

  it('answers a file that has just changed with a weak ETag, which no If-Range matches', async () => {
    const { path, server } = await staticServer()
    let etag = ''
    const change = async () => {
      await writeFile(path, BYTES)
      etag = (await ask(server, CLIP)).headers.etag ?? ''
      return etag
    }
    // On a busy machine more than 50 ms may pass between the change and the answer.
    await expect.poll(change, { timeout: 10_000 }).toMatch(/^W\/"/)
    const reply = await ask(server, { ...CLIP, headers: { 'if-range': etag, range: 'bytes=0-0' } })
    expect(reply.status).toBe(200)
  })

  it('hands its options on', async () => {
    const { server } = await staticServer({ maxRanges: 1, maxPartialLength: 3 })
    const cut = await ask(server, { ...CLIP, headers: { range: 'bytes=0-' } })
    expect([cut.status, cut.text]).toEqual([206, '012'])
    expect((await ask(server, { ...CLIP, headers: { range: 'bytes=0-0,9-9' } })).status).toBe(200)
  })

  it.each([
    ['200', {}],
    ['206', { headers: { range: 'bytes=0-4' } }],
    ['206 cut short', { headers: { range: 'bytes=0-' } }],
    ['304', { headers: { 'if-none-match': '*' } }],
    ['412', { headers: { 'if-match': '"x"' } }],
    ['416', { headers: { range: 'bytes=36-' } }],
    ['HEAD', { method: 'HEAD' }],
    ['404', { path: '/missing.mp4' }],
  ])('answers %s the same when it is mounted twice', async (_what, request) => {
    const [once, twice] = [
      await staticServer({ maxPartialLength: 20 }),
      await staticServer({ maxPartialLength: 20 }, 2),
    ]
    const a = await ask(once.server, { ...CLIP, ...request })
    const b = await ask(twice.server, { ...CLIP, ...request })
    expect([b.status, b.text, withoutFile(b)]).toEqual([a.status, a.text, withoutFile(a)])
  })
})

function withoutDate({ headers: { date: _date, ...rest } }: Reply) {
  return rest
}

/** The fields that do not come from the inode or the clock. */
function withoutFile(reply: Reply) {
  const { etag, 'last-modified': lastModified, ...rest } = withoutDate(reply)
  return { ...rest, etag: typeof etag, lastModified: typeof lastModified }
}
