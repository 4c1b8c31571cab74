import { Readable } from 'node:stream'
import Koa from 'koa'
import { isPartialContent, resumableUpload } from 'koa-resumable-upload'
import { describe, expect, it } from 'vitest'
import { serve } from '../support/app.ts'
import { appendTo, begin, send, startUploads, storeOf, textOf } from './client.ts'

/** As long as an id, and none. */
const LIKE_AN_ID = '/uploads/holiday-in-the-alps-22'

describe('requests that are not for an upload', () => {
  it.each([
    ['GET', '/uploads/cat.jpg'],
    ['HEAD', '/uploads/cat.jpg'],
    ['DELETE', '/uploads/cat.jpg'],
    ['PATCH', '/uploads/cat.jpg'],
    ['POST', '/uploads/cat.jpg'],
    ['OPTIONS', '/uploads/cat.jpg'],
    ['GET', '/uploads'],
    ['GET', '/uploads/'],
    ['GET', '/uploads/2026/cat.jpg'],
    ['GET', `${LIKE_AN_ID}/cat.jpg`],
    ['GET', LIKE_AN_ID],
    ['POST', LIKE_AN_ID],
    ['OPTIONS', LIKE_AN_ID],
  ])('go to the next middleware: %s %s', async (method, path) => {
    expect(LIKE_AN_ID.length).toBe('/uploads/'.length + 22)
    const url = await startUploads(await storeOf('memory'))
    expect((await send(url, method, path)).status).toBe(299)
  })

  it('leave HEAD, PATCH and DELETE of a path that may be an upload to the protocol, which answers 404', async () => {
    const url = await startUploads(await storeOf('memory'))
    const answers = [
      await send(url, 'HEAD', LIKE_AN_ID),
      await send(url, 'DELETE', LIKE_AN_ID),
      await appendTo(url, LIKE_AN_ID, 0, 'hello'),
    ]
    expect(answers.map(({ status, headers }) => [status, headers.get('upload-complete')])).toEqual(
      Array(3).fill([404, '?0']),
    )
  })

  it('are 404 with the fields of the protocol when no middleware answers GET of such a path', async () => {
    const app = new Koa()
    app.use(resumableUpload(await storeOf('memory'), { resolveTarget: () => null }))
    const url = await serve(app.callback())
    const { status, headers } = await send(url, 'GET', LIKE_AN_ID)
    expect([status, headers.get('upload-complete')]).toEqual([404, '?0'])
  })

  it('do not include other methods on an upload that exists, which are 405', async () => {
    const url = await startUploads(await storeOf('memory'))
    const { status, headers } = await send(url, 'POST', await begin(url), {}, 'hello')
    expect([status, headers.get('allow')]).toEqual([405, 'HEAD, GET, PATCH, DELETE, OPTIONS'])
  })
})

describe('a part of an upload for which resolveTarget returns null', () => {
  /** An app whose handler, unlike its target, ignores case and a slash at the end, as routers do. */
  async function startLenient() {
    const store = await storeOf('memory')
    const app = new Koa()
    app.use(
      resumableUpload(store, { resolveTarget: ({ path }) => (path === '/film' ? { key: 'film' } : null) }),
    )
    app.use(async (ctx) => {
      if (isPartialContent(ctx.headers)) ctx.throw(400)
      if (!/^\/film\/?$/i.test(ctx.path)) return
      await store.put('film', ctx.req)
      ctx.status = 201
    })
    await store.put('film', Readable.from([Buffer.from('the whole film')]))
    return { store, url: await serve(app.callback()) }
  }

  it.each([
    ['PUT', '/film/', { 'Upload-Complete': '?0' }],
    ['PUT', '/Film', { 'Upload-Complete': '?0' }],
    ['POST', '/FILM/', { 'Upload-Complete': '?0', 'Upload-Length': '100' }],
    ['PUT', '/film/', { 'Upload-Incomplete': '?1', 'Upload-Draft-Interop-Version': '3' }],
  ])('is 404 and reaches no other handler: %s %s %j', async (method, path, fields) => {
    const { store, url } = await startLenient()
    const { status, headers, body } = await send(url, method, path, fields, 'abcd')
    expect([status, headers.get('content-type')]).toEqual([404, 'application/problem+json'])
    expect(JSON.parse(body).title).toBe('No upload can be created here')
    expect(await textOf(store, 'film')).toBe('the whole film')
  })

  it.each([
    [{ 'Upload-Complete': '0' }],
    [{ 'Upload-Complete': '?0, ?0' }],
    [{ 'Upload-Incomplete': '?1' }],
    [{ 'Upload-Offset': '4' }],
    [{ 'Upload-Length': '100' }],
    [{ 'Tus-Resumable': '1.0.0' }],
    [{ 'Content-Range': 'bytes 0-3/10' }],
    [{ 'Content-Type': 'application/partial-upload' }],
    [{ 'Content-Type': 'Application/Offset+Octet-Stream; a=b' }],
  ])('is found by isPartialContent in a handler of the app: %j', async (fields) => {
    const { store, url } = await startLenient()
    expect((await send(url, 'PUT', '/film', fields, 'abcd')).status).toBe(400)
    expect(await textOf(store, 'film')).toBe('the whole film')
  })

  it('is not what whole content is, with Upload-Complete: ?1 or without any of these fields', async () => {
    const { store, url } = await startLenient()
    const whole = { 'Upload-Complete': '?1', 'Upload-Length': '4' }
    expect((await send(url, 'PUT', '/film/', whole, 'abcd')).status).toBe(201)
    expect(await textOf(store, 'film')).toBe('abcd')
    expect((await send(url, 'PUT', '/film', {}, 'efgh')).status).toBe(201)
    expect(await textOf(store, 'film')).toBe('efgh')
  })

  it('is refused on its own path when Upload-Offset says that it belongs to an upload elsewhere', async () => {
    const { store, url } = await startLenient()
    for (const complete of ['?0', '?1']) {
      const fields = { 'Upload-Complete': complete, 'Upload-Offset': '10' }
      expect((await send(url, 'PUT', '/film', fields, 'abcd')).status).toBe(400)
    }
    expect(await textOf(store, 'film')).toBe('the whole film')
  })
})
