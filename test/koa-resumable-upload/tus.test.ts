import { tusDataStore } from 'koa-resumable-upload'
import { createFsStore, type UploadSession } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../support/temporary.ts'
import { RawRequest, send, storeOf, textOf } from './client.ts'
import {
  append,
  appending,
  begin,
  checksum,
  create,
  look,
  metadata,
  startTus,
  VERSION,
} from './tus-client.ts'

/** Fails to publish as often, as where the process or the disk has failed. */
function failing(times: number): {
  commit: (session: UploadSession) => ReturnType<UploadSession['commit']>
  done: number
} {
  const counter = {
    done: 0,
    commit: async (session: UploadSession) => {
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
    expect([whole.status, whole.headers.get('upload-offset')]).toEqual([201, '5'])
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

  it.each(['sha1', 'md5', 'sha256', 'sha512'])(
    'checks %s of an append, and keeps none of it where it is wrong',
    async (algorithm) => {
      const store = await storeOf(kind)
      const url = await startTus(store)
      const path = await begin(url, 11)
      expect((await append(url, path, 0, 'hello ', checksum(algorithm, 'hello '))).status).toBe(204)
      const wrong = await append(url, path, 6, 'w0rld', checksum(algorithm, 'world'))
      expect(wrong.status).toBe(460)
      expect(await look(url, path)).toEqual([200, '6', '11'])
      expect(await store.get('a')).toBe(null)
      expect((await append(url, path, 6, 'world', checksum(algorithm, 'world'))).status).toBe(204)
      expect(await textOf(store, 'a')).toBe('hello world')
    },
  )

  it.each([
    'crc32 AAAAAA==',
    'toString AAAA',
    'sha1',
    'sha1 AAAA',
    `${checksum('sha1', 'x')['Upload-Checksum']}x`,
    'SHA1 qqqq',
    '',
  ])('refuses Upload-Checksum %j before bytes', async (field) => {
    const url = await startTus(await storeOf(kind))
    const path = await begin(url, 5)
    expect((await append(url, path, 0, 'hello', { 'Upload-Checksum': field })).status).toBe(400)
    expect(await look(url, path)).toEqual([200, '0', '5'])
    expect((await create(url, { 'Upload-Length': '5', 'Upload-Checksum': field }, 'hello')).status).toBe(400)
  })

  it('leaves nothing of a creation whose content is not what its checksum says', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const answer = await create(url, { 'Upload-Length': '6', ...checksum('sha1', 'world') }, 'hello')
    expect([answer.status, answer.headers.get('location')]).toEqual([460, undefined])
    expect((await store.sweep()).paused).toBe(0)
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
    expect([failed.status, failed.body]).toEqual([500, 'The server failed.\n'])
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

  it('lets unfinished uploads expire, and neither what became of the others nor the answer about them', async () => {
    const store = await storeOf(kind, { expireAfter: 100 })
    const options = { expireAfter: 100 }
    const url = await startTus(store, options)
    const [unfinished, finished] = [await begin(url, 5, metadata({ filename: 'b' })), await begin(url, 5)]
    await append(url, finished, 0, 'hello')
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect((await look(url, unfinished))[0]).toBe(410)
    expect(await look(url, finished)).toEqual([200, '5', '5'])
    expect((await append(url, finished, 5, '')).status).toBe(204)
    await tusDataStore(store, options).deleteExpired()
    expect((await look(url, unfinished))[0]).toBe(404)
    expect(await textOf(store, 'a')).toBe('hello')
  })

  it('answers what the store refuses by its status, and keeps nothing that is of no use', async () => {
    const store = await storeOf(kind, { accept: ['video/*'], maxFileSize: 20 })
    const url = await startTus(store)
    const path = await begin(url, 5, metadata({ filename: 'a', filetype: 'text/plain' }))
    expect((await append(url, path, 0, 'hello')).status).toBe(415)
    expect((await look(url, path))[0]).toBe(404)
    const long = await begin(url, 30)
    expect((await append(url, long, 0, 'x'.repeat(30))).status).toBe(413)
    expect((await look(url, long))[0]).toBe(404)
    expect((await create(url, { 'Upload-Length': '1001' })).status).toBe(413)
    expect((await store.sweep()).paused).toBe(0)
  })

  it('does not publish under a type that would break a header, and refuses metadata that are too long', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const path = await begin(url, 1, metadata({ filename: 'a', filetype: 'text/html\r\nSet-Cookie: a' }))
    await append(url, path, 0, 'x')
    expect((await store.get('a'))?.type).toBe('application/octet-stream')
    const long = await create(url, { 'Upload-Length': '1', ...metadata({ filename: 'a'.repeat(9000) }) })
    expect(long.status).toBe(431)
  })

  it('asks the app what an upload is for', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store, {
      target: ({ album }) => {
        if (!album) throw Object.assign(new Error(), { status_code: 403, body: 'No album.' })
        return { key: `${album}-1`, meta: { album } }
      },
      commit: (session) => session.commit({ key: `${session.meta['album']}-2` }),
    })
    const refused = await create(url, { 'Upload-Length': '5' }, 'hello')
    expect([refused.status, refused.body]).toEqual([403, 'No album.'])
    await create(url, { 'Upload-Length': '5', ...metadata({ album: 'x' }) }, 'hello')
    expect(await textOf(store, 'x-2')).toBe('hello')
  })

  it('knows no upload of another protocol, and none of a strange name', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const session = await store.create('a', { meta: { 'rufh.length': 5 } })
    await session.pause()
    for (const id of [session.id, '..%2f..%2fpasswd', 'x', 'a'.repeat(22)]) {
      expect((await look(url, `/files/${id}`))[0]).toBe(404)
      expect((await append(url, `/files/${id}`, 0, 'hello')).status).toBe(404)
      expect((await send(url, 'DELETE', `/files/${id}`, VERSION)).status).toBe(404)
    }
    expect(await store.peek(session.id)).not.toBe(null)
  })

  it('goes on only where the upload is', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const path = await begin(url, 5)
    expect((await append(url, path, 1, 'ello')).status).toBe(409)
    expect((await append(url, path, 0, 'hello!')).status).toBe(413)
    const chunks = '6\r\nhello!\r\n0\r\n\r\n'
    const fields = { ...appending(0), 'Transfer-Encoding': 'chunked' }
    const { status } = await new RawRequest(url, 'PATCH', path, fields).write(chunks).answer
    expect(status).toBe(413)
    expect(await look(url, path)).toEqual([200, '0', '5'])
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
