import { randomBytes, randomUUID } from 'node:crypto'
import type { UploadStore } from 'upload-store'
import { checkBucket, type S3StoreOptions, setUpBucket } from 'upload-store/s3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { describeWith } from '../support/tools.ts'
import { bytesOf, source } from '../upload-store/contract.ts'
import { CEPH, Ceph } from './ceph.ts'
import { answerOf, LossyLine } from './lossy-line.ts'
import { Objects } from './objects.ts'

const PART = 5 * 1024 ** 2
const film = randomBytes(PART + 1000)

const PAGE = '<html><head><title>Sign in</title></head><body><p>Welcome to the network</p></body></html>'
/** Longer than any budget here, so that no test waits for further tries. */
const LATER = { 'Retry-After': '99' }
const HTML = { 'Content-Type': 'text/html; charset=utf-8', ...LATER }
const XML = { 'Content-Type': 'application/xml', ...LATER }
const TAG = { ETag: '"d41d8cd98f00b204e9800998ecf8427e"' }

/** Answers of a proxy, a captive portal or a broken gateway to any request. */
const WRONG: Readonly<Record<string, string>> = {
  'a page': answerOf('200 OK', PAGE, HTML),
  'a page with an entity-tag': answerOf('200 OK', PAGE, { ...HTML, ...TAG }),
  'a page without a type': answerOf('200 OK', PAGE, LATER),
  'a page that calls itself XML': answerOf('200 OK', PAGE, XML),
  'an empty 200': answerOf('200 OK', '', LATER),
  'an empty 200 of a type': answerOf('200 OK', '', XML),
  'other XML': answerOf('200 OK', '<?xml version="1.0"?><feed><title>News</title></feed>', {
    ...XML,
    ...TAG,
  }),
  'cut XML': answerOf('200 OK', '<ListBucketResult><Name>tests</Name><KeyCount>0</KeyCount><IsTru', XML),
  'an empty 206': answerOf('206 Partial Content', '', LATER),
  'an empty 202': answerOf('202 Accepted', '', LATER),
  'a 404 page': answerOf('404 Not Found', PAGE, HTML),
  'an empty 404': answerOf('404 Not Found', '', LATER),
  'a 403 page': answerOf('403 Forbidden', PAGE, HTML),
  'a 412 page': answerOf('412 Precondition Failed', PAGE, HTML),
  'a 416 page': answerOf('416 Range Not Satisfiable', PAGE, HTML),
  'a 413 page': answerOf('413 Content Too Large', PAGE, HTML),
  'a redirect': answerOf('302 Found', PAGE, { ...HTML, Location: 'http://127.0.0.1:9/login' }),
  'a permanent redirect': answerOf('301 Moved Permanently', '', {
    ...LATER,
    Location: 'http://127.0.0.1:9/',
  }),
}

const REJECTED = { code: 'UNAVAILABLE', cause: { name: 'BadAnswer' } }

/** An operation, and the request of it whose answer is replaced. */
type Operation = readonly [string, RegExp, (store: UploadStore, id: string) => Promise<unknown>]

const OPERATIONS: readonly Operation[] = [
  ['get', /^GET \S*\/records\//, (store) => store.get('a')],
  ['a stream', /^GET \S*\/blobs\//, async (store) => (await store.get('a'))?.stream()],
  ['list', /^GET \S*list-type/, (store) => store.list()],
  ['list, by the records', /^GET \S*\/records\//, (store) => store.list()],
  ['delete', /^DELETE /, (store) => store.delete('a')],
  ['put', /^PUT \S*\/blobs\//, (store) => store.put('c', source('new'))],
  ['a commit', /^PUT \S*\/records\//, (store) => store.put('c', source('new'))],
  [
    'a commit over an object',
    /^GET \S*\/records\//,
    (store) => store.put('a', source('x'), { ifMatch: '*' }),
  ],
  ['the beginning of parts', /^POST \S*\?uploads/, (store) => store.put('c', source(film))],
  ['a part', /^PUT \S*partNumber/, (store) => store.put('c', source(film))],
  ['the completion of parts', /^POST \S*uploadId/, (store) => store.put('c', source(film))],
  ['createUpload', /^PUT \S*\/staging\//, (store) => store.createUpload('c', { metadata: {} })],
  ['resumeUpload', /^GET \S*\/staging\//, (store, id) => store.resumeUpload(id)],
  ['interruptUpload', /^GET \S*\/staging\//, (store, id) => store.interruptUpload(id)],
  ['getUpload', /^GET \S*\/staging\//, (store, id) => store.getUpload(id)],
  ['deleteUpload', /^GET \S*\/staging\//, (store, id) => store.deleteUpload(id)],
  ['recover', /^GET \S*list-type/, (store) => store.recover()],
  ['sweep, by the uploads', /^GET \S*\?\S*uploads/, (store) => store.sweep()],
  ['sweep, by the blobs', /^GET \S*prefix=\S*blobs/, (store) => store.sweep()],
  ['sweep, by the records', /^GET \S*prefix=\S*records/, (store) => store.sweep()],
  ['sweep, by one record', /^GET \S*\/records\//, (store) => store.sweep()],
  ['sweep, by its deletions', /^DELETE \S*\/blobs\//, (store) => store.sweep()],
  ['verify', /^GET \S*list-type/, (store) => store.verify()],
  ['verify, by the bytes', /^GET \S*\/blobs\//, (store) => store.verify()],
  ['checkSpace', /^GET \S*list-type/, (store) => store.checkSpace(1)],
]

describeWith(CEPH, "S3 store on Ceph: an answer that is not S3's", () => {
  const ceph = new Ceph()

  /** A store behind a line, and the same store without it. */
  async function open(options: Partial<S3StoreOptions> = {}) {
    const prefix = `${randomUUID()}/`
    const line = await LossyLine.to(ceph.connection.endpoint)
    onTestFinished(() => line.close())
    const store = ceph.open({
      prefix,
      endpoint: line.url,
      recordMaxAge: 0,
      partSize: PART,
      orphanAge: 0,
      ...options,
    })
    const other = ceph.open({ prefix, recordMaxAge: 0 })
    return { line, store, other, objects: new Objects(ceph.connection, prefix) }
  }

  const read = async (store: UploadStore, key: string, range?: { start: number; end: number }) =>
    String(await bytesOf((await (await store.get(key))?.stream(range)) ?? source()))

  const isFilm = async (store: UploadStore) =>
    film.equals(await bytesOf((await (await store.get('a'))?.stream()) ?? source()))

  it.each(OPERATIONS)('makes %s fail as unavailable, and changes nothing', async (_, pattern, call) => {
    const { line, other, objects, store } = await open({ maxTotalSize: 1024 ** 3 })
    await other.put('a', source('hello'))
    const orphan = `blobs/${'x'.repeat(22)}`
    await objects.write(orphan, 'orphan')
    const session = await other.createUpload('b', { metadata: {} })
    await session.append(0, source('half'))
    await session.pause()
    for (const [name, reply] of Object.entries(WRONG)) {
      line.mend()
      line.answer(pattern, reply)
      await expect(call(store, session.id), name).rejects.toMatchObject(REJECTED)
    }
    line.mend()
    expect(await other.get('c')).toBeNull()
    expect(await read(other, 'a')).toBe('hello')
    expect(await other.interruptUpload(session.id)).toMatchObject({ offset: 4 })
    expect(await objects.names()).toContain(orphan)
  })

  it('is asked for again: one wrong answer to each request delays an upload and a download, and breaks neither', async () => {
    const { line, store } = await open()
    const wrong = answerOf('200 OK', PAGE, { 'Content-Type': 'text/html' })
    const upload = [/^POST \S*\?uploads/, /^PUT \S*partNumber=1/, /^POST \S*uploadId/, /^PUT \S*\/records/]
    line.lose({ reply: answerOf('200 OK', '', { 'Content-Type': 'text/html' }) }, /^HEAD /)
    for (const pattern of [...upload, /^GET \S*\/records/, /^GET \S*\/blobs/])
      line.lose({ reply: wrong }, pattern)
    await store.put('a', source(film))
    expect(await isFilm(store)).toBe(true)
  })

  it('hides no success: an object whose parts or record S3 has written is committed', async () => {
    const { line, store, other } = await open()
    const wrong = () => answerOf('200 OK', PAGE, { 'Content-Type': 'text/html' })
    line.lose({ reply: wrong }, /^POST \S*uploadId/)
    line.lose({ reply: wrong }, /^PUT \S*\/records/)
    expect(await store.put('a', source(film))).toMatchObject({ size: film.length })
    expect(await isFilm(other)).toBe(true)
  })

  describe('to HEAD', () => {
    const PORTAL = answerOf('404 Not Found', '', HTML)

    it('does not make a commit succeed whose record S3 does not have: it is written', async () => {
      const { line, store, other } = await open()
      line.lose('request', /^PUT \S*\/records\//, () => other.put('a', source('theirs')))
      line.answer(/^HEAD /, PORTAL)
      expect(await store.put('a', source('ours'))).toMatchObject({ size: 4 })
      expect(await read(other, 'a')).toBe('ours')
    })

    it.each([
      ['a page', answerOf('200 OK', '', { ...HTML, 'Content-Length': `${film.length}` })],
      [
        'a page with an entity-tag',
        answerOf('200 OK', '', { ...HTML, ...TAG, 'Content-Length': `${film.length}` }),
      ],
      ['a redirect', answerOf('302 Found', '', { ...HTML, Location: 'http://127.0.0.1:9/' })],
    ])('does not make an object of completed parts: %s', async (_, reply) => {
      const { line, store, other } = await open()
      line.answer(/^HEAD /, reply)
      await expect(store.put('a', source(film))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      expect(await other.get('a')).toBeNull()
    })

    it.each([
      ['404', PORTAL],
      ['403', answerOf('403 Forbidden', '', HTML)],
    ])('of %s does not hide an object: GET finds it', async (_, reply) => {
      const { line, store, other } = await open()
      line.answer(/^HEAD /, reply)
      expect(await store.put('a', source(film))).toMatchObject({ size: film.length })
      expect(await other.get('a')).toMatchObject({ size: film.length })
    })
  })

  describe('to a range', () => {
    const replace = (from: RegExp | string, to: string) => (answer: string) => answer.replace(from, to)

    it.each<[string, (answer: string) => string]>([
      [
        'all bytes, because the proxy ignores Range',
        () => answerOf('200 OK', 'hello world', { ...LATER, ...TAG }),
      ],
      ['all bytes as 206', () => answerOf('206 Partial Content', 'hello world', { ...LATER, ...TAG })],
      ['another range', replace('bytes 6-10/11', 'bytes 0-4/11')],
      ['another entity-tag', replace(/ETag: "\w+"/i, TAG.ETag.replace(/^/, 'ETag: '))],
      ['no entity-tag', replace(/ETag: "\w+"\r\n/i, '')],
      ['a shorter body', (answer) => answer.replace(/Content-Length: 5/i, 'Content-Length: 4').slice(0, -1)],
      ['a longer body', (answer) => `${answer.replace(/Content-Length: 5/i, 'Content-Length: 6')}!`],
      ['a compressed body', replace('\r\n\r\n', '\r\nContent-Encoding: gzip\r\n\r\n')],
      [
        'a redirect to another host',
        () => answerOf('307 Temporary Redirect', '', { Location: 'http://127.0.0.1:9/' }),
      ],
      ['no bytes', () => answerOf('304 Not Modified', '')],
    ])('is not sent as the range: %s', async (_, reply) => {
      const { line, store, other } = await open({ timeout: 1000 })
      await other.put('a', source('hello world'))
      line.answer(/^GET \S*\/blobs\//, reply)
      await expect(read(store, 'a', { start: 6, end: 10 })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      line.mend()
      expect(await read(store, 'a', { start: 6, end: 10 })).toBe('world')
    })

    it('is not joined to a body that has begun', async () => {
      const { line, store, other } = await open({ timeout: 1000, transferTimeout: 1000 })
      const bytes = randomBytes(1024 ** 2)
      await other.put('a', source(bytes))
      const content = await store.get('a')
      const cut = (answer: string) => `${answer.slice(0, 10_000)}`
      // The connection sends the beginning, and then nothing.
      line.lose({ reply: cut }, /^GET \S*\/blobs\//)
      line.answer(/^GET \S*\/blobs\//, answerOf('200 OK', 'x'.repeat(bytes.length), TAG))
      const received: Uint8Array[] = []
      const reading = (async () => {
        for await (const chunk of (await content?.stream()) ?? source()) received.push(chunk)
      })()
      await expect(reading).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      const all = Buffer.concat(received)
      expect(all.equals(bytes.subarray(0, all.length))).toBe(true)
    })
  })

  describe('to a list', () => {
    const edit = (from: RegExp | string, to: string) => (answer: string) => {
      const [head = '', body = ''] = answer.split('\r\n\r\n')
      const changed = body.replace(from, to)
      return `${head.replace(/Content-Length: \d+/i, `Content-Length: ${changed.length}`)}\r\n\r\n${changed}`
    }

    // What makes a page wrong is in pages.test.ts.
    it.each([
      ['the list of another bucket', edit(/<Name>\w+/, '<Name>other')],
      ['a list without its number of names', edit(/<KeyCount>\d+<\/KeyCount>/, '')],
    ])('is no page, and a sweep removes nothing by it: %s', async (_, reply) => {
      const { line, store, other, objects } = await open({ timeout: 2000, transferTimeout: 2000 })
      await other.put('a', source('1'))
      const before = await objects.names()
      line.answer(/^GET \S*list-type/, reply)
      const both = [store.list(), store.sweep()]
      await Promise.all(both.map((each) => expect(each).rejects.toMatchObject(REJECTED)))
      expect(await objects.names()).toEqual(before)
    })
  })

  it('stops checkBucket and setUpBucket, which say so', async () => {
    const { line } = await open()
    const connection = { ...ceph.connection, endpoint: line.url }
    for (const [name, reply] of Object.entries(WRONG)) {
      line.mend()
      line.answer(/./, reply)
      await expect(checkBucket(connection), name).rejects.toMatchObject(REJECTED)
      await expect(setUpBucket(connection), name).rejects.toMatchObject(REJECTED)
    }
  })
})
