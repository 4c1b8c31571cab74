import { text } from 'node:stream/consumers'
import type Koa from 'koa'
import { createApp, loadConfig } from 'koa-range-server'
import { createMemoryStore, type UploadStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { RawRequest } from '../koa-resumable-upload/client.ts'
import { appending, begin, VERSION } from '../koa-resumable-upload/tus-client.ts'
import { listenOn } from '../support/app.ts'

const FORM = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhello\r\n--b--\r\n'
const UPLOADED = { 'Upload-Length': '5', 'Content-Type': 'application/offset+octet-stream' }

/** The server's app behind middleware that reads the body of each request with X-Parsed. */
async function start(): Promise<{ url: string; store: UploadStore; codes: unknown[] }> {
  const store = createMemoryStore()
  const server = createApp(loadConfig(['--log-level', 'silent', '--accept', '*/*'], {}), store)
  const codes: unknown[] = []
  server.on('error', (error) => codes.push(error.code))
  server.middleware.unshift(async (ctx: Koa.Context, next: Koa.Next) => {
    if (ctx.get('X-Parsed') !== '') await text(ctx.req)
    await next()
  })
  return { url: await listenOn(server), store, codes }
}

describe('a body parser above the server', () => {
  it.each([
    ['PUT', '/videos/a', {}, 'hello'],
    ['PUT', '/videos/a', { 'Upload-Complete': '?1' }, 'hello'],
    ['POST', '/video', { 'Content-Type': 'multipart/form-data; boundary=b' }, FORM],
    ['POST', '/uploads', { 'Upload-Complete': '?0' }, 'hello'],
    ['POST', '/files', { ...VERSION, ...UPLOADED }, 'hello'],
    ['PATCH', 'tus', appending(0), 'hello'],
  ])(
    'makes %s %s with %j a 500 that the log explains, and stores nothing',
    async (method, to, fields, body) => {
      const { url, store, codes } = await start()
      const path = to === 'tus' ? await begin(url, 5) : to
      const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
      for (const [framing, content] of [
        [{ 'Transfer-Encoding': 'chunked' }, chunk],
        [{ 'Content-Length': String(body.length) }, body],
      ] as const) {
        const request = new RawRequest(url, method, path, { ...fields, ...framing, 'X-Parsed': '1' })
        expect((await request.write(content).answer).status).toBe(500)
      }
      expect(codes).toEqual(['BODY_CONSUMED', 'BODY_CONSUMED'])
      expect((await store.list()).items).toEqual([])
    },
  )
})
