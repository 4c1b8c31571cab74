import { createFsStore, type UploadSession } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../support/temporary.ts'
import { type Answer, send, storeOf, textOf } from './client.ts'
import { append, begin, create, look, metadata, startTus, VERSION } from './tus-client.ts'

/** Fails to publish as often, as where the process or the disk has failed. */
function failing(times: number): {
  commit: (ctx: unknown, session: UploadSession) => ReturnType<UploadSession['commit']>
  done: number
} {
  const counter = {
    done: 0,
    commit: async (_ctx: unknown, session: UploadSession) => {
      if (times-- > 0) throw new Error('EIO: /data/secret')
      counter.done++
      return session.commit()
    },
  }
  return counter
}

describe.each(['memory', 'fs'] as const)('tus over the %s store', (kind) => {
  it('publishes an upload when its length has come, under its file name and with its type', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const path = await begin(url, 11, metadata({ filename: '../clip one.mp4', filetype: 'video/mp4' }))
    expect(path).toMatch(/^\/files\/[\w-]{22}$/)
    const first = await append(url, path, 0, 'hello ')
    expect([first.status, first.headers.get('upload-offset')]).toEqual([204, '6'])
    expect(first.headers.get('upload-expires')).toMatch(/ GMT$/)
    expect(await store.get('clip one.mp4')).toBe(null)
    expect(await look(url, path)).toEqual([200, '6', '11'])
    expect((await append(url, path, 6, 'world')).status).toBe(204)
    expect(await textOf(store, 'clip one.mp4')).toBe('hello world')
    expect((await store.get('clip one.mp4'))?.type).toBe('video/mp4')
  })

  it('takes content with the creation, all of it or the beginning', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const whole = await create(url, { 'Upload-Length': '5' }, 'hello')
    expect([whole.status, whole.headers.get('upload-offset'), whole.body]).toEqual([201, '5', ''])
    expect(await textOf(store, 'a')).toBe('hello')
    const part = await create(url, { 'Upload-Length': '5', ...metadata({ filename: 'b' }) }, 'he')
    expect([part.status, part.headers.get('upload-offset')]).toEqual([201, '2'])
    expect((await append(url, part.headers.get('location') ?? '', 2, 'llo')).status).toBe(204)
    expect(await textOf(store, 'b')).toBe('hello')
  })

  it('publishes an upload of no bytes when it is created', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const path = await begin(url, 0)
    expect(await textOf(store, 'a')).toBe('')
    expect(await look(url, path)).toEqual([200, '0', '0'])
  })

  it('learns the length of an upload later', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const path = await begin(url, 'deferred')
    expect((await append(url, path, 0, 'hello ')).status).toBe(204)
    const head = await send(url, 'HEAD', path, VERSION)
    expect([head.headers.get('upload-defer-length'), head.headers.get('upload-length')]).toEqual([
      '1',
      undefined,
    ])
    expect((await append(url, path, 6, 'world', { 'Upload-Length': '11' })).status).toBe(204)
    expect(await textOf(store, 'a')).toBe('hello world')
    expect((await append(url, path, 11, '', { 'Upload-Length': '12' })).status).toBe(400)
    expect((await append(url, await begin(url, 'deferred'), 0, '', { 'Upload-Length': '1001' })).status).toBe(
      413,
    )
  })

  it('publishes once, however often the client says that it is done', async () => {
    const commits = failing(0)
    const store = await storeOf(kind)
    const url = await startTus(store, commits)
    const path = await begin(url, 5)
    await append(url, path, 0, 'hello')
    await store.put(
      'a',
      (async function* () {
        yield Buffer.from('newer')
      })(),
    )
    for (const _ of [1, 2]) {
      const again = await append(url, path, 5, '')
      expect([again.status, again.headers.get('upload-offset')]).toEqual([204, '5'])
      expect(await look(url, path)).toEqual([200, '5', '5'])
    }
    expect((await append(url, path, 0, 'hello')).status).toBe(409)
    expect((await append(url, path, 5, 'x')).status).toBe(413)
    expect([commits.done, await textOf(store, 'a')]).toEqual([1, 'newer'])
  })

  it.each(['HEAD', 'PATCH'])('publishes by %s what came whole and was not published', async (method) => {
    const commits = failing(1)
    const store = await storeOf(kind)
    const url = await startTus(store, commits)
    const path = await begin(url, 5)
    const failed = await append(url, path, 0, 'hello')
    expect([failed.status, failed.body, failed.headers.get('tus-resumable')]).toEqual([
      500,
      'Internal Server Error',
      '1.0.0',
    ])
    expect(await store.get('a')).toBe(null)
    if (method === 'HEAD') expect(await look(url, path)).toEqual([200, '5', '5'])
    else expect((await append(url, path, 5, '')).status).toBe(204)
    expect([commits.done, await textOf(store, 'a')]).toEqual([1, 'hello'])
  })

  it('forgets a finished upload by DELETE and leaves its object', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const path = await begin(url, 5)
    await append(url, path, 0, 'hello')
    expect((await send(url, 'DELETE', path, VERSION)).status).toBe(204)
    expect(await look(url, path)).toEqual([404, undefined, undefined])
    expect((await send(url, 'DELETE', path, VERSION)).status).toBe(404)
    expect(await textOf(store, 'a')).toBe('hello')
  })

  it('removes an unfinished upload by DELETE', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const path = await begin(url, 5)
    await append(url, path, 0, 'he')
    expect((await send(url, 'DELETE', path, VERSION)).status).toBe(204)
    expect((await append(url, path, 2, 'llo')).status).toBe(404)
    expect((await store.sweep()).paused).toBe(0)
  })

  it('does not find an upload that expired, and keeps the object of a finished one', async () => {
    const store = await storeOf(kind, { expireAfter: 1000 })
    const options = { expireAfter: 1000 }
    const url = await startTus(store, options)
    const [unfinished, finished] = [await begin(url, 5, metadata({ filename: 'b' })), await begin(url, 5)]
    await append(url, finished, 0, 'hello')
    await expect.poll(async () => (await store.sweep()).expired).toBe(1)
    expect((await look(url, unfinished))[0]).toBe(404)
    expect(await textOf(store, 'a')).toBe('hello')
  })

  it('gives an upload without any byte a shorter life, and says so', async () => {
    const store = await storeOf(kind, { expireAfter: 3_600_000, expireEmptyAfter: 1500 })
    const url = await startTus(store)
    const lifeOf = ({ headers }: Answer) => Date.parse(headers.get('upload-expires') ?? '') - Date.now()
    const empty = await create(url, { 'Upload-Length': '5' })
    expect(lifeOf(empty)).toBeLessThanOrEqual(1500)
    const path = await begin(url, 5)
    expect(lifeOf(await append(url, path, 0, 'he'))).toBeGreaterThan(3_000_000)
    await expect.poll(async () => (await store.sweep()).expired, { timeout: 5000 }).toBe(1)
    const gone = empty.headers.get('location') ?? ''
    expect([(await look(url, gone))[0], (await append(url, gone, 0, 'hello')).status]).toEqual([404, 404])
    expect((await append(url, path, 2, 'llo')).status).toBe(204)
  })

  it.each([
    [7, '7'],
    [Number.POSITIVE_INFINITY, undefined],
  ])('announces that its store takes %d bytes', async (maxFileSize, announced) => {
    const url = await startTus(await storeOf(kind, { maxFileSize }), { maxSize: undefined })
    const { headers } = await send(url, 'OPTIONS', '/files', VERSION)
    expect(headers.get('tus-max-size')).toBe(announced)
    expect((await create(url, { 'Upload-Length': '8' })).status).toBe(announced === undefined ? 201 : 413)
  })

  it('gives the app text for each name of Upload-Metadata, which it can store with the object', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store, { resolveTarget: (_ctx, { metadata }) => ({ key: 'a', metadata }) })
    const fields = { 'Upload-Length': '5', 'Upload-Metadata': `album ${btoa('x')},private` }
    expect((await create(url, fields, 'hello')).status).toBe(201)
    expect((await store.get('a'))?.metadata).toEqual({ album: 'x', private: '' })
    const long = await create(
      url,
      { 'Upload-Length': '5', ...metadata({ album: 'x'.repeat(3750) }) },
      'hello',
    )
    expect([long.status, JSON.parse(long.body).detail]).toEqual([
      431,
      expect.stringContaining('the limit is 8000'),
    ])
  })

  it('asks the app what an upload is for', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store, {
      resolveTarget: (ctx, { metadata }) => {
        const album = metadata['album'] ?? ctx.throw(403, 'No album.')
        return { key: `${album}-1`, metadata: { album } }
      },
      commit: (_ctx, session) => session.commit({ key: `${session.metadata['album']}-2` }),
    })
    const refused = await create(url, { 'Upload-Length': '5' }, 'hello')
    expect([refused.status, JSON.parse(refused.body).detail]).toEqual([403, 'No album.'])
    await create(url, { 'Upload-Length': '5', ...metadata({ album: 'x' }) }, 'hello')
    expect(await textOf(store, 'x-2')).toBe('hello')
  })
})

describe('tus', () => {
  it('tells what became of an upload after a restart', async () => {
    const directory = await temporaryDirectory()
    const before = createFsStore(directory)
    const path = await (async () => {
      const url = await startTus(before)
      const begun = await begin(url, 5)
      await append(url, begun, 0, 'hello')
      return begun
    })()
    await before.close()
    const store = createFsStore(directory)
    await store.recover()
    const url = await startTus(store)
    expect(await look(url, path)).toEqual([200, '5', '5'])
    expect((await append(url, path, 5, '')).status).toBe(204)
    await store.close()
  })
})
