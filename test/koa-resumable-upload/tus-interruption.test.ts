import { describe, expect, it } from 'vitest'
import { type Uploads, watchUploads } from '../support/watch-uploads.mjs'
import { RawRequest, send, storeOf, textOf } from './client.ts'
import { append, appending, begin, checksum, create, look, startTus, VERSION } from './tus-client.ts'

/** In ms, on a busy machine. */
const AT_ONCE = 2500

/** Begins an upload of 11 bytes and an append that stops in mid-content when 7 are there. */
async function stall(url: string, uploads: Uploads, fields: Readonly<Record<string, string>> = {}) {
  const path = await begin(url, 11)
  await append(url, path, 0, 'hel')
  const head = { ...appending(3), 'Content-Length': '8', ...fields }
  const request = new RawRequest(url, 'PATCH', path, head).write('lo w')
  await uploads.accepted(7)
  return { path, request }
}

async function timed<T>(task: () => Promise<T>): Promise<readonly [T, number]> {
  const started = performance.now()
  return [await task(), performance.now() - started]
}

describe.each(['memory', 'fs'] as const)('tus over the %s store', (kind) => {
  it('a HEAD stops an append that stalls at once, and the next append resumes at its offset', async () => {
    const store = await storeOf(kind)
    const uploads = watchUploads(store)
    const url = await startTus(store)
    const { path, request } = await stall(url, uploads)
    const [answer, took] = await timed(() => look(url, path))
    expect(answer).toEqual([200, '7', '11'])
    expect(took).toBeLessThan(AT_ONCE)
    await expect(request.answer).rejects.toThrow()
    expect((await append(url, path, 7, 'orld')).status).toBe(204)
    expect(await textOf(store, 'a')).toBe('hello world')
  })

  it('a second append stops the first, and gets the offset of the upload', async () => {
    const store = await storeOf(kind)
    const uploads = watchUploads(store)
    const url = await startTus(store)
    const { path, request } = await stall(url, uploads)
    const [{ status }, took] = await timed(() => append(url, path, 3, 'lo world'))
    expect([status, took < AT_ONCE]).toEqual([409, true])
    await expect(request.answer).rejects.toThrow()
    expect((await append(url, path, 7, 'orld')).status).toBe(204)
    expect(await textOf(store, 'a')).toBe('hello world')
  })

  it('a DELETE ends an append that stalls', async () => {
    const store = await storeOf(kind)
    const uploads = watchUploads(store)
    const url = await startTus(store)
    const { path, request } = await stall(url, uploads)
    const [{ status }, took] = await timed(() => send(url, 'DELETE', path, VERSION))
    expect([status, took < AT_ONCE]).toEqual([204, true])
    await expect(request.answer).rejects.toThrow()
    expect((await look(url, path))[0]).toBe(404)
  })

  it('HEADs at the same time all get the offset of an append that stalls', async () => {
    const store = await storeOf(kind)
    const uploads = watchUploads(store)
    const url = await startTus(store)
    const { path } = await stall(url, uploads)
    const answers = await Promise.all(Array.from({ length: 6 }, () => look(url, path)))
    expect(answers).toEqual(answers.map(() => [200, '7', '11']))
  })

  it.each(['with', 'without'])('keeps what came before a client went away, %s a checksum', async (which) => {
    const store = await storeOf(kind)
    const uploads = watchUploads(store)
    const url = await startTus(store)
    const { path, request } = await stall(url, uploads, which === 'with' ? checksum('sha1', 'lo world') : {})
    request.cut()
    await uploads.ended()
    expect(await look(url, path)).toEqual([200, '7', '11'])
    expect((await append(url, path, 7, 'orld', checksum('sha1', 'orld'))).status).toBe(204)
    expect(await textOf(store, 'a')).toBe('hello world')
  })

  it('leaves nothing of a creation whose client disconnected before it knew the URL to resume at', async () => {
    const store = await storeOf(kind)
    const uploads = watchUploads(store)
    const url = await startTus(store)
    const fields = { ...appending(0), 'Upload-Length': '11', 'Content-Length': '11' }
    const request = new RawRequest(url, 'POST', '/files', fields).write('hello')
    await uploads.accepted(5)
    request.cut()
    await uploads.ended()
    expect((await create(url, { 'Upload-Length': '5' }, 'hello')).status).toBe(201)
    expect((await store.sweep()).paused).toBe(0)
    expect(await textOf(store, 'a')).toBe('hello')
  })
})
