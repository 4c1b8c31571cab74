import { once } from 'node:events'
import { connect, constants, createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { resumableUpload } from 'koa-resumable-upload'
import { describe, expect, it, onTestFinished } from 'vitest'
import { watchUploads } from '../support/watch-uploads.mjs'
import { appending, appendTo, begin, RawRequest, send, startUploads, storeOf, textOf } from './client.ts'

const VERSION = { 'Upload-Draft-Interop-Version': '9' }

describe.each(['memory', 'fs'] as const)('over the %s store', (kind) => {
  it('104 names the URL at which a creation can be resumed, and the bytes before a cut are kept', async () => {
    const store = await storeOf(kind)
    const uploads = watchUploads(store)
    const url = await startUploads(store, { maxSize: 100 })
    const fields = { 'Upload-Complete': '?1', 'Content-Length': '11', ...VERSION }
    const request = new RawRequest(url, 'POST', '/files/a', fields).write('hello')
    const [head] = await request.until(/^HTTP\/1\.1 104 [\s\S]*?\r\n\r\n/)
    expect(head).toMatch(/^Upload-Draft-Interop-Version: 9\r$/m)
    expect(head).toMatch(/^Upload-Limit: max-size=100, max-age=\d+\r$/m)
    const path = /^Location: (.*)\r$/m.exec(head)?.[1] ?? ''
    await uploads.accepted(5)
    request.cut()
    await uploads.ended()
    expect((await send(url, 'HEAD', path)).headers.get('upload-offset')).toBe('5')
    expect((await appendTo(url, path, 5, ' world')).status).toBe(201)
    expect(await textOf(store, 'a')).toBe('hello world')
  })

  it('a HEAD stops an append that stalls, and the next append resumes at its offset', async () => {
    const store = await storeOf(kind)
    const uploads = watchUploads(store)
    const url = await startUploads(store)
    const path = await begin(url, 'hel')
    const fields = { ...appending(3, '?1'), 'Content-Length': '8' }
    const stalled = new RawRequest(url, 'PATCH', path, fields).write('lo w')
    await uploads.accepted(7)
    const head = await send(url, 'HEAD', path)
    expect([head.headers.get('upload-offset'), head.headers.get('upload-complete')]).toEqual(['7', '?0'])
    await expect(stalled.answer).rejects.toThrow()
    expect((await appendTo(url, path, 7, 'orld')).status).toBe(201)
    expect(await textOf(store, 'a')).toBe('hello world')
  })

  it('a second append ends the first, and one of both wins', async () => {
    const store = await storeOf(kind)
    const uploads = watchUploads(store)
    const url = await startUploads(store)
    const path = await begin(url, 'hel')
    const first = new RawRequest(url, 'PATCH', path, { ...appending(3, '?1'), 'Content-Length': '2' })
    await uploads.accepted(3)
    expect((await appendTo(url, path, 3, 'lo')).status).toBe(201)
    await expect(first.answer).rejects.toThrow()
    expect(await textOf(store, 'a')).toBe('hello')
  })

  it('a DELETE ends an append that stalls', async () => {
    const store = await storeOf(kind)
    const uploads = watchUploads(store)
    const url = await startUploads(store)
    const path = await begin(url, 'hel')
    const stalled = new RawRequest(url, 'PATCH', path, { ...appending(3, '?1'), 'Content-Length': '5' })
    await uploads.accepted(3)
    expect((await send(url, 'DELETE', path)).status).toBe(204)
    await expect(stalled.answer).rejects.toThrow()
    expect((await send(url, 'HEAD', path)).status).toBe(404)
  })

  it('HEADs at the same time all get the offset of an append that stalls', async () => {
    const store = await storeOf(kind)
    const uploads = watchUploads(store)
    const url = await startUploads(store)
    const path = await begin(url, 'hel')
    const fields = { ...appending(3, '?1'), 'Content-Length': '8' }
    const stalled = new RawRequest(url, 'PATCH', path, fields).write('lo w')
    await uploads.accepted(7)
    const answers = await Promise.all(Array.from({ length: 6 }, () => send(url, 'HEAD', path)))
    expect(answers.map(({ headers }) => headers.get('upload-offset'))).toEqual(Array(6).fill('7'))
    await expect(stalled.answer).rejects.toThrow()
  })

  it('appends at the same time end in one object, with no byte twice', async () => {
    const store = await storeOf(kind)
    const url = await startUploads(store)
    const path = await begin(url, 'hel')
    await Promise.allSettled(Array.from({ length: 8 }, () => appendTo(url, path, 3, 'lo')))
    const { headers } = await send(url, 'HEAD', path)
    const offset = Number(headers.get('upload-offset'))
    if (headers.get('upload-complete') === '?0') await appendTo(url, path, offset, 'hello'.slice(offset))
    expect(await textOf(store, 'a')).toBe('hello')
  })
})

describe('104', () => {
  it.each([
    ['no version', {}],
    ['a version that is not known', { 'Upload-Draft-Interop-Version': '11' }],
    ['two versions', { 'Upload-Draft-Interop-Version': '9, 10' }],
  ])('is not sent for %s', async (_, fields) => {
    const url = await startUploads(await storeOf('memory'))
    const answer = await send(url, 'POST', '/files/a', { 'Upload-Complete': '?1', ...fields }, 'hello')
    expect([answer.status, answer.interim]).toEqual([201, []])
  })

  it('goes over HTTP/2 as well, where a reset stream leaves what came of it', async () => {
    const store = await storeOf('memory')
    const uploads = watchUploads(store)
    const app = new Koa()
    app.silent = true
    app.use(
      resumableUpload(store, { resolveTarget: ({ path }) => (path === '/files/a' ? { key: 'a' } : null) }),
    )
    const server = createServer(app.callback()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    onTestFinished(() => {
      client.destroy()
      server.close()
    })
    const creation = client.request({
      ':method': 'POST',
      ':path': '/files/a',
      'upload-complete': '?1',
      'upload-draft-interop-version': '10',
    })
    creation.on('error', () => {})
    creation.write('hello')
    const [interim] = await once(creation, 'headers')
    expect(interim[':status']).toBe(104)
    await uploads.accepted(5)
    // Node ends the content before it resets the stream, as if it were all.
    creation.close(constants.NGHTTP2_CANCEL)
    const path = String(interim['location'])
    const ask = async (headers: Record<string, string>, content: string) => {
      const stream = client.request({ ':path': path, ...headers }, { endStream: content === '' })
      if (content !== '') stream.end(content)
      const [answer] = await once(stream, 'response')
      stream.resume()
      return answer
    }
    const head = await ask({ ':method': 'HEAD' }, '')
    expect([head[':status'], head['upload-offset'], head['upload-complete']]).toEqual([204, '5', '?0'])
    const last = await ask({ ':method': 'PATCH', ...appending(5, '?1') }, ' world')
    expect([last[':status'], last['upload-complete']]).toEqual([201, '?1'])
    expect(await textOf(store, 'a')).toBe('hello world')
  })
})

describe('an interrupted creation', () => {
  it('whose client could never come back is removed', async () => {
    const store = await storeOf('fs')
    const uploads = watchUploads(store)
    const url = await startUploads(store)
    const fields = { 'Upload-Complete': '?1', 'Content-Length': '11' }
    const request = new RawRequest(url, 'POST', '/files/a', fields).write('hello')
    await uploads.accepted(5)
    request.cut()
    await uploads.ended()
    expect(await store.recover()).toMatchObject({ paused: 0, busy: 0 })
  })
})
