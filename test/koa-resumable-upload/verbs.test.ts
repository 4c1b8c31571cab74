import { createHash } from 'node:crypto'
import type { UploadSession } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { appending, appendTo, begin, RawRequest, send, startUploads, storeOf, textOf } from './client.ts'

const sha = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('base64')

describe.each(['memory', 'fs'] as const)('over the %s store', (kind) => {
  it('publishes a creation that has everything', async () => {
    const store = await storeOf(kind)
    const url = await startUploads(store)
    const answer = await send(url, 'POST', '/files/a', { 'Upload-Complete': '?1' }, 'hello')
    expect(answer.status).toBe(201)
    expect(JSON.parse(answer.body)).toMatchObject({ key: 'a', size: 5, type: 'text/plain' })
    expect(answer.headers.get('upload-complete')).toBe('?1')
    expect(await textOf(store, 'a')).toBe('hello')
  })

  it('puts an upload together from a creation and appends', async () => {
    const store = await storeOf(kind)
    const url = await startUploads(store, { maxSize: 1000 })
    const path = await begin(url, 'hel')
    const more = await send(url, 'PATCH', path, appending(3, '?0'), 'lo ')
    expect([more.status, more.headers.get('upload-offset'), more.headers.get('upload-complete')]).toEqual([
      204,
      '6',
      '?0',
    ])
    expect(more.headers.get('upload-limit')).toMatch(/^max-size=1000, max-age=\d+$/)
    expect(await textOf(store, 'a')).toBe(null)
    const last = await appendTo(url, path, 6, 'world')
    expect([last.status, last.headers.get('upload-complete')]).toEqual([201, '?1'])
    expect(await textOf(store, 'a')).toBe('hello world')
  })

  it.each(['HEAD', 'GET'])('tells the offset to %s', async (method) => {
    const url = await startUploads(await storeOf(kind))
    const path = await begin(url, 'hel', { 'Upload-Length': '11' })
    const { status, headers } = await send(url, method, path)
    expect(status).toBe(204)
    expect(Object.fromEntries(headers)).toMatchObject({
      'upload-offset': '3',
      'upload-complete': '?0',
      'upload-length': '11',
      'upload-limit': expect.stringMatching(/, max-age=\d+$/),
      'cache-control': 'no-store',
    })
  })

  it('removes a cancelled upload', async () => {
    const url = await startUploads(await storeOf(kind))
    const path = await begin(url, 'hel')
    expect((await send(url, 'DELETE', path)).status).toBe(204)
    const after = await send(url, 'HEAD', path)
    expect([after.status, after.headers.get('upload-complete')]).toEqual([404, '?0'])
    expect((await appendTo(url, path, 3, 'lo')).status).toBe(404)
  })

  it('refuses another offset and tells the right one', async () => {
    const url = await startUploads(await storeOf(kind))
    const path = await begin(url, 'hel')
    const { status, headers, body } = await appendTo(url, path, 2, 'llo')
    expect([status, headers.get('upload-offset'), headers.get('upload-complete')]).toEqual([409, '3', '?0'])
    expect(headers.get('content-type')).toBe('application/problem+json')
    expect(JSON.parse(body)).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#mismatching-upload-offset',
      'expected-offset': 3,
      'provided-offset': 2,
    })
  })

  it.each(['sha-256', 'sha-512'])('takes an append back whose %s is another one', async (algorithm) => {
    const store = await storeOf(kind)
    const url = await startUploads(store)
    const path = await begin(url, 'hel')
    const name = algorithm.replace('-', '')
    const digest = (text: string) => ({ 'Content-Digest': `${algorithm}=:${sha(name, text)}:` })
    const wrong = await appendTo(url, path, 3, 'LO', digest('lo'))
    expect([wrong.status, wrong.headers.get('upload-offset'), wrong.headers.get('upload-complete')]).toEqual([
      400,
      '3',
      '?0',
    ])
    expect(JSON.parse(wrong.body).type).toMatch(/#digest-mismatched-values$/)
    expect((await send(url, 'HEAD', path)).headers.get('upload-offset')).toBe('3')
    expect((await appendTo(url, path, 3, 'lo', digest('lo'))).status).toBe(201)
    expect(await textOf(store, 'a')).toBe('hello')
  })

  it('ends an upload that is not what its Repr-Digest says', async () => {
    const store = await storeOf(kind)
    const url = await startUploads(store)
    const path = await begin(url, 'hel', { 'Repr-Digest': `sha-256=:${sha('sha256', 'hello')}:` })
    const { status, headers } = await appendTo(url, path, 3, 'LO')
    expect([status, headers.get('upload-complete')]).toEqual([400, '?1'])
    expect((await send(url, 'HEAD', path)).status).toBe(404)
    expect(await textOf(store, 'a')).toBe(null)
  })

  it('tells the digest of the whole to a client that wants it', async () => {
    const url = await startUploads(await storeOf(kind))
    const path = await begin(url, 'hel')
    const { headers } = await appendTo(url, path, 3, 'lo', { 'Want-Repr-Digest': 'sha-256=1' })
    expect(headers.get('repr-digest')).toBe(`sha-256=:${sha('sha256', 'hello')}:`)
  })

  it('replays the final response to a client that has missed it', async () => {
    const url = await startUploads(await storeOf(kind))
    const path = await begin(url, 'hel')
    const first = await appendTo(url, path, 3, 'lo')
    const head = await send(url, 'HEAD', path)
    expect([head.headers.get('upload-offset'), head.headers.get('upload-complete')]).toEqual(['5', '?1'])
    const again = await appendTo(url, path, 5, '')
    expect([again.status, again.body, again.headers.get('upload-complete')]).toEqual([201, first.body, '?1'])
    expect((await appendTo(url, path, 3, 'lo')).status).toBe(409)
    expect((await appendTo(url, path, 5, 'more')).status).toBe(400)
  })
})

describe('lengths', () => {
  it.each([
    ['a creation that is longer than its length', { 'Upload-Complete': '?0', 'Upload-Length': '4' }],
    ['a whole creation that is shorter', { 'Upload-Complete': '?1', 'Upload-Length': '9' }],
  ])('refuse %s', async (_, fields) => {
    const url = await startUploads(await storeOf('memory'))
    const { status, headers, body } = await send(url, 'POST', '/files/a', fields, 'hello')
    expect([status, headers.get('upload-complete')]).toEqual([400, '?0'])
    expect(JSON.parse(body).type).toMatch(/#inconsistent-upload-length$/)
  })

  it('leave the upload resumable when an append contradicts its length and ends before it', async () => {
    const url = await startUploads(await storeOf('memory'))
    const path = await begin(url, 'hel', { 'Upload-Length': '5' })
    expect((await appendTo(url, path, 3, 'l')).status).toBe(400)
    expect((await appendTo(url, path, 3, 'lo', { 'Upload-Length': '6' })).status).toBe(400)
    expect((await appendTo(url, path, 3, 'lo')).status).toBe(201)
  })

  it.each([
    ['with Content-Length', {}, 'loo'],
    ['in chunks', { 'Transfer-Encoding': 'chunked' }, '3\r\nloo\r\n0\r\n\r\n'],
  ])(
    'void the upload when an append %s runs past its end, with one response for both',
    async (_, fields, body) => {
      const store = await storeOf('memory')
      const url = await startUploads(store)
      const path = await begin(url, 'hel', { 'Upload-Length': '5' })
      const length = 'Transfer-Encoding' in fields ? {} : { 'Content-Length': String(body.length) }
      const request = new RawRequest(url, 'PATCH', path, { ...appending(3, '?1'), ...fields, ...length })
      const answer = await request.write(body).answer
      expect([
        answer.status,
        answer.headers.get('upload-complete'),
        answer.headers.get('upload-offset'),
      ]).toEqual([400, '?0', undefined])
      expect(JSON.parse(answer.body)).toMatchObject({
        type: expect.stringMatching(/#inconsistent-upload-length$/),
        detail: 'The request has content past the end of the upload, which has 5 bytes. Create a new upload.',
      })
      expect((await send(url, 'HEAD', path)).status).toBe(404)
      expect(await textOf(store, 'a')).toBe(null)
    },
  )

  it('refuse a whole creation without an announced length that ends short', async () => {
    const store = await storeOf('memory')
    const url = await startUploads(store)
    const chunked = { 'Upload-Complete': '?1', 'Upload-Length': '9', 'Transfer-Encoding': 'chunked' }
    const request = new RawRequest(url, 'POST', '/files/a', chunked).write('5\r\nhello\r\n0\r\n\r\n')
    const { status, headers } = await request.answer
    expect([status, headers.get('upload-complete'), headers.get('upload-offset')]).toEqual([400, '?0', '5'])
    expect(await textOf(store, 'a')).toBe(null)
    expect((await appendTo(url, headers.get('location') ?? '', 5, '6789')).status).toBe(201)
  })

  it('keep what came of a last append that ended short of them', async () => {
    const url = await startUploads(await storeOf('memory'))
    const path = await begin(url, 'hel', { 'Upload-Length': '5' })
    const chunked = { ...appending(3, '?1'), 'Transfer-Encoding': 'chunked' }
    const short = await new RawRequest(url, 'PATCH', path, chunked).write('1\r\nl\r\n0\r\n\r\n').answer
    expect([short.status, short.headers.get('upload-offset')]).toEqual([400, '4'])
    expect((await appendTo(url, path, 4, 'o')).status).toBe(201)
  })
})

describe('limits', () => {
  it('are in responses to OPTIONS of targets and uploads, and of no other path', async () => {
    const url = await startUploads(await storeOf('memory'), { maxSize: 10, maxAppendSize: 5 })
    const limits = 'max-size=10, max-append-size=5, max-age=86400'
    const target = await send(url, 'OPTIONS', '/files/a')
    expect([target.headers.get('upload-limit'), target.headers.get('accept-patch')]).toEqual([
      limits,
      undefined,
    ])
    const upload = await send(url, 'OPTIONS', await begin(url))
    expect([upload.headers.get('upload-limit'), upload.headers.get('accept-patch')]).toEqual([
      limits,
      'application/partial-upload',
    ])
    for (const path of ['/other', '/uploads', '/uploads/aaaaaaaaaaaaaaaaaaaaaa']) {
      const { headers } = await send(url, 'OPTIONS', path)
      expect([path, headers.get('upload-limit'), headers.get('accept-patch')]).toEqual([
        path,
        undefined,
        undefined,
      ])
    }
  })

  it.each(['memory', 'fs'] as const)(
    'give an upload without any byte a shorter life (%s store)',
    async (kind) => {
      const store = await storeOf(kind, { expireAfter: 3_600_000, expireEmptyAfter: 1500 })
      const url = await startUploads(store)
      const fields = { 'Upload-Complete': '?0' }
      const empty = await send(url, 'POST', '/files/a', fields, '')
      expect(empty.headers.get('upload-limit')).toMatch(/, max-age=[01]$/)
      const begun = await begin(url, 'he')
      await expect.poll(async () => (await store.sweep()).expired, { timeout: 5000 }).toBe(1)
      const path = new URL(empty.headers.get('location') ?? '', url).pathname
      expect((await send(url, 'HEAD', path)).status).toBe(404)
      expect((await appendTo(url, path, 0, 'hello')).status).toBe(404)
      const { status, headers } = await send(url, 'HEAD', begun)
      expect([status, headers.get('upload-limit')]).toEqual([
        204,
        expect.stringMatching(/, max-age=3[56]\d\d$/),
      ])
    },
  )

  it('refuse what is too large, and what is too much at once', async () => {
    const url = await startUploads(await storeOf('memory'), { maxSize: 10, maxAppendSize: 5 })
    const large = { 'Upload-Complete': '?0', 'Upload-Length': '11' }
    const refused = await send(url, 'POST', '/files/a', large, '')
    expect([refused.status, refused.headers.get('upload-complete')]).toEqual([413, '?1'])
    expect(refused.headers.get('upload-limit')).toMatch(/^max-size=10,/)
    const path = await begin(url)
    const much = await appendTo(url, path, 0, '123456')
    expect([much.status, much.headers.get('upload-offset'), much.headers.get('upload-complete')]).toEqual([
      413,
      '0',
      '?0',
    ])
  })
})

describe('requests that are not its own', () => {
  it('reach the next middleware', async () => {
    const url = await startUploads(await storeOf('memory'))
    expect((await send(url, 'POST', '/files/a', {}, 'hello')).body).toContain('next')
    expect((await send(url, 'POST', '/files/a', { 'Upload-Complete': 'true' }, 'hello')).status).toBe(299)
    expect((await send(url, 'POST', '/other', { 'Upload-Complete': '?1' }, 'hello')).status).toBe(299)
    expect((await send(url, 'GET', '/files/a', { 'Upload-Complete': '?1' })).status).toBe(299)
  })

  it('are forms that are sent whole, and others it refuses', async () => {
    const url = await startUploads(await storeOf('memory'))
    const form = { 'Content-Type': 'multipart/form-data; boundary=b' }
    expect((await send(url, 'POST', '/files/a', { ...form, 'Upload-Complete': '?1' }, 'x')).status).toBe(299)
    expect((await send(url, 'POST', '/files/a', { ...form, 'Upload-Complete': '?0' }, 'x')).status).toBe(415)
  })
})

describe('an append', () => {
  it.each([
    ['of another type', 415, { 'Content-Type': 'text/plain' }],
    ['without a readable offset', 400, { 'Upload-Offset': '3.0' }],
    ['without a readable completeness', 400, { 'Upload-Complete': 'true' }],
  ])('%s is refused', async (_, expected, fields) => {
    const url = await startUploads(await storeOf('memory'))
    const path = await begin(url, 'hel')
    const { status, headers } = await appendTo(url, path, 3, 'lo', fields)
    expect([status, headers.get('upload-complete'), headers.get('upload-offset')]).toEqual([
      expected,
      '?0',
      '3',
    ])
  })
})

describe('what the app refuses', () => {
  it('at completion for good ends the upload', async () => {
    const store = await storeOf('memory')
    const commit = (_: unknown, session: UploadSession) => session.commit({ ifNoneMatch: '*' })
    const url = await startUploads(store, { commit })
    await send(url, 'POST', '/files/a', { 'Upload-Complete': '?1' }, 'first')
    const path = await begin(url, 'sec')
    const { status, headers } = await appendTo(url, path, 3, 'ond')
    expect([status, headers.get('upload-complete')]).toEqual([412, '?1'])
    expect((await send(url, 'HEAD', path)).status).toBe(404)
    expect(await textOf(store, 'a')).toBe('first')
  })

  it('by who asks leaves the upload, and is asked again at completion', async () => {
    const store = await storeOf('memory')
    let allowed = true
    const actions: string[] = []
    const url = await startUploads(store, {
      authorize: (ctx, action, { key }) => {
        actions.push(`${action} ${key}`)
        if (!allowed && action === 'complete') ctx.throw(403, 'Not any more.')
      },
    })
    const path = await begin(url, 'hel')
    allowed = false
    const { status, headers } = await appendTo(url, path, 3, 'lo')
    expect([status, headers.get('upload-complete'), headers.get('upload-offset')]).toEqual([403, '?0', '5'])
    expect(await textOf(store, 'a')).toBe(null)
    allowed = true
    expect((await appendTo(url, path, 5, '')).status).toBe(201)
    expect(actions).toEqual(['create a', 'append a', 'complete a', 'append a', 'complete a'])
  })

  it('before the content is asked for creates nothing', async () => {
    const store = await storeOf('memory')
    const url = await startUploads(store, {
      aroundBody: async (ctx) => ctx.throw(503, 'Busy.', { expose: true }),
    })
    const answer = await send(url, 'POST', '/files/a', { 'Upload-Complete': '?0' }, 'hello')
    expect([answer.status, answer.headers.get('upload-complete'), answer.headers.get('retry-after')]).toEqual(
      [503, '?0', '5'],
    )
    expect((await store.recover()).paused).toBe(0)
  })
})
