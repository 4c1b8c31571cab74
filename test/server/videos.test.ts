import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { formWith, type RunningApp, startApp } from '../support/app.ts'

const put = (url: string, key: string, body: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/videos/${encodeURIComponent(key)}`, { method: 'PUT', body, headers })

async function withKeys(...keys: string[]): Promise<RunningApp> {
  const app = await startApp()
  for (const key of keys) await app.store.put(key, Readable.from([Buffer.from(key)]))
  return app
}

describe('PUT /videos/:key', () => {
  it('creates with 201, replaces with 200, and tells the etag', async () => {
    const { url } = await startApp()
    const created = await put(url, 'a b.mp4', 'one')
    expect(created.status).toBe(201)
    expect(created.headers.get('location')).toBe('/get_video_by_name/a%20b.mp4')
    const digest = createHash('sha256').update('one').digest('hex')
    expect(await created.json()).toMatchObject({ key: 'a b.mp4', size: 3, digest })
    expect(created.headers.get('etag')).toBe(`"${digest}"`)
    expect((await put(url, 'a b.mp4', 'two')).status).toBe(200)
    expect(await (await fetch(`${url}/videos/a%20b.mp4`)).text()).toBe('two')
  })

  it('honours If-None-Match: * and If-Match', async () => {
    const { url } = await startApp()
    expect((await put(url, 'a', 'one', { 'if-match': '*' })).status).toBe(412)
    expect((await put(url, 'a', 'one', { 'if-none-match': '*' })).status).toBe(201)
    expect((await put(url, 'a', 'two', { 'if-none-match': '*' })).status).toBe(412)
    expect((await put(url, 'a', 'two', { 'if-match': '"other"' })).status).toBe(412)
    const etag = (await fetch(`${url}/videos/a`)).headers.get('etag') ?? ''
    expect((await put(url, 'a', 'two', { 'if-match': `"other", ${etag}` })).status).toBe(200)
    expect(await (await fetch(`${url}/videos/a`)).text()).toBe('two')
  })

  it('checks Repr-Digest before it publishes', async () => {
    const { url } = await startApp()
    const digestOf = (text: string) => `sha-256=:${createHash('sha256').update(text).digest('base64')}:`
    expect((await put(url, 'a', 'x', { 'repr-digest': digestOf('y') })).status).toBe(400)
    expect((await put(url, 'a', 'x', { 'repr-digest': 'sha-256=abc' })).status).toBe(400)
    expect((await fetch(`${url}/videos/a`)).status).toBe(404)
    expect((await put(url, 'a', 'x', { 'repr-digest': `md5=:AAAA:, ${digestOf('x')}` })).status).toBe(201)
  })

  it('refuses content that would have to be decoded with 415', async () => {
    const { url } = await startApp()
    expect((await put(url, 'a', 'x', { 'content-encoding': 'gzip' })).status).toBe(415)
    expect((await put(url, 'a', 'x', { 'content-encoding': 'identity' })).status).toBe(201)
  })

  it('refuses a part of a video: Content-Range is 400', async () => {
    const { url } = await startApp()
    expect((await put(url, 'a', 'x', { 'content-range': 'bytes 0-0/5' })).status).toBe(400)
  })
})

describe('DELETE /videos/:key', () => {
  it('answers 204 once and 404 then', async () => {
    const { url } = await withKeys('a')
    expect((await fetch(`${url}/videos/a`, { method: 'DELETE' })).status).toBe(204)
    expect((await fetch(`${url}/videos/a`, { method: 'DELETE' })).status).toBe(404)
    expect((await fetch(`${url}/videos/a`)).status).toBe(404)
  })

  it('honours If-Match', async () => {
    const { url, store } = await withKeys('a')
    const headers = { 'if-match': '"other"' }
    expect((await fetch(`${url}/videos/a`, { method: 'DELETE', headers })).status).toBe(412)
    const etag = (await store.get('a'))?.etag ?? ''
    expect((await fetch(`${url}/videos/a`, { method: 'DELETE', headers: { 'if-match': etag } })).status).toBe(
      204,
    )
  })
})

describe('GET /videos', () => {
  it('lists in key order with cursors', async () => {
    const { url } = await withKeys('c', 'a', 'b')
    const first = await (await fetch(`${url}/videos?limit=2`)).json()
    expect(first.items).toMatchObject([
      {
        key: 'a',
        size: 1,
        video_url: `${url}/get_video_by_name/a`,
        created: expect.stringMatching(/^20.*Z$/),
      },
      { key: 'b' },
    ])
    const second = await (await fetch(`${url}/videos?limit=2&cursor=${first.cursor}`)).json()
    expect(second).toMatchObject({ items: [{ key: 'c' }], cursor: null })
  })

  it('lists by prefix', async () => {
    const { url } = await withKeys('ab', 'b', 'aa')
    const { items } = await (await fetch(`${url}/videos?prefix=a`)).json()
    expect(items).toMatchObject([{ key: 'aa' }, { key: 'ab' }])
  })

  it.each(['0', '-1', 'x', '1.5'])('refuses limit=%s with 400', async (limit) => {
    const { url } = await startApp()
    expect((await fetch(`${url}/videos?limit=${limit}`)).status).toBe(400)
  })

  it('cuts a limit above 1000', async () => {
    const { url } = await withKeys('a')
    expect((await fetch(`${url}/videos?limit=1000000`)).status).toBe(200)
  })
})

describe('stored content from strangers', () => {
  it('is a download when it is not video, audio or a picture, and runs nothing anywhere', async () => {
    const { url } = await startApp()
    await fetch(`${url}/video`, {
      method: 'POST',
      body: formWith('file', 'page "1".html', '<script>alert(1)</script>'),
    })
    const response = await fetch(`${url}/videos/${encodeURIComponent('page "1".html')}`)
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="page/)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('content-security-policy')).toMatch(/default-src 'none'.*sandbox/)
    expect(response.headers.get('content-type')).not.toMatch(/html/)
  })

  it('is a download when the client asks', async () => {
    const { url } = await withKeys('видео.mp4')
    const response = await fetch(`${url}/videos/${encodeURIComponent('видео.mp4')}?download`)
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; .*filename\*=UTF-8''%D0%B2/)
  })
})

describe('methods', () => {
  it.each([
    ['PATCH', '/videos/a', 405],
    ['DELETE', '/video', 405],
    ['GET', '/video', 405],
    ['GET', '/none', 404],
    ['POST', '/assets/video/sample.mp4', 405],
    ['BREW', '/videos/a', 400],
  ])('%s %s is %i', async (method, path, status) => {
    const { url } = await startApp()
    const response = await fetch(`${url}${path}`, { method })
    expect(response.status).toBe(status)
    if (status === 405) expect(response.headers.get('allow')).toBeTruthy()
  })
})
