import { describe, expect, it } from 'vitest'
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

describe.each(['memory', 'fs'] as const)('tus over the %s store', (kind) => {
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

  it('checks a checksum that follows the content as a trailer', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const path = await begin(url, 5)
    const fields = { ...appending(0), 'Transfer-Encoding': 'chunked', Trailer: 'Upload-Checksum' }
    const sendWith = async (field: string) => {
      const body = `5\r\nhello\r\n0\r\nUpload-Checksum: ${field}\r\n\r\n`
      return (await new RawRequest(url, 'PATCH', path, fields).write(body).answer).status
    }
    expect(await sendWith(String(checksum('sha256', 'hullo')['Upload-Checksum']))).toBe(460)
    expect(await sendWith('crc32 AAAA')).toBe(400)
    expect(await look(url, path)).toEqual([200, '0', '5'])
    expect(await sendWith(String(checksum('sha256', 'hello')['Upload-Checksum']))).toBe(204)
    expect(await textOf(store, 'a')).toBe('hello')
  })

  it('leaves nothing of a creation whose content is not what its checksum says', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const answer = await create(url, { 'Upload-Length': '6', ...checksum('sha1', 'world') }, 'hello')
    expect([answer.status, answer.headers.get('location')]).toEqual([460, undefined])
    expect((await store.sweep()).paused).toBe(0)
  })

  it('checks each of many appends at once by its own checksum', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const paths = await Promise.all(Array.from({ length: 12 }, () => begin(url, 5)))
    const answers = await Promise.all(
      paths.map((path, at) =>
        append(url, path, 0, 'hello', checksum('sha1', at % 3 === 0 ? 'hullo' : 'hello')),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(paths.map((_, at) => (at % 3 === 0 ? 460 : 204)))
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

  it('leaves nothing of a creation that brings more than it may', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    expect((await create(url, { 'Upload-Length': '4' }, 'hello')).status).toBe(413)
    expect((await create(url, { 'Upload-Defer-Length': '1' }, 'x'.repeat(1001))).status).toBe(413)
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

  it('knows no upload of another protocol, and none of a strange name', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const session = await store.createUpload('a', { metadata: { 'upload.length': 5 } })
    await session.pause()
    for (const id of [session.id, '..%2f..%2fpasswd', 'x', 'a'.repeat(22)]) {
      expect((await look(url, `/files/${id}`))[0]).toBe(404)
      expect((await append(url, `/files/${id}`, 0, 'hello')).status).toBe(404)
      expect((await send(url, 'DELETE', `/files/${id}`, VERSION)).status).toBe(404)
    }
    expect(await store.getUpload(session.id)).not.toBe(null)
  })

  it('appends only at the offset of the upload', async () => {
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
