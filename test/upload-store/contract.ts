import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { ListOptions, StoreOptions, UploadStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { closingAfterwards } from './closing-afterwards.ts'

export const bytesOf = async (stream: AsyncIterable<Uint8Array>) => {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}
export const source = (...chunks: (string | Uint8Array)[]) =>
  Readable.from(chunks.map((chunk) => Buffer.from(chunk)))
const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')

async function* failing(...chunks: string[]) {
  for (const chunk of chunks) yield Buffer.from(chunk)
  throw new Error('connection lost')
}

/** What every store promises, whatever it stores on. */
export function describeContract(
  name: string,
  openStore: (options?: StoreOptions) => Promise<UploadStore>,
): void {
  const open = closingAfterwards(openStore)
  describe(`${name}: put and get`, () => {
    it('gives back the bytes and tells size, type, digest and a strong etag of them', async () => {
      const store = await open()
      const put = await store.put('clip.mp4', source('hello ', 'world'), { type: 'video/mp4' })
      const digest = sha256('hello world')
      expect(put).toMatchObject({ key: 'clip.mp4', size: 11, type: 'video/mp4', digest, etag: `"${digest}"` })
      expect(Math.abs(Date.now() - put.lastModified)).toBeLessThan(60_000)
      const content = await store.get('clip.mp4')
      expect(content).toMatchObject({ ...put, name: 'clip.mp4' })
      expect(await bytesOf((await content?.stream()) ?? source())).toEqual(Buffer.from('hello world'))
    })

    it.each([
      [{ start: 0, end: 0 }, 'h'],
      [{ start: 6, end: 10 }, 'world'],
      [{ start: 10, end: 10 }, 'd'],
    ])('streams the bytes of %j, both ends included', async (range, expected) => {
      const store = await open()
      await store.put('a', source('hello world'))
      const content = await store.get('a')
      expect(String(await bytesOf((await content?.stream(range)) ?? source()))).toBe(expected)
    })

    it('stores empty content', async () => {
      const store = await open()
      expect(await store.put('empty', source())).toMatchObject({ size: 0, digest: sha256('') })
      const content = await store.get('empty')
      expect(await bytesOf((await content?.stream()) ?? source('x'))).toHaveLength(0)
    })

    it('answers null for a key that holds nothing', async () => {
      expect(await (await open()).get('nothing')).toBeNull()
    })

    it('replaces an object, and who reads the old one gets all of it', async () => {
      const store = await open()
      const old = Buffer.alloc(1_000_000, 'a')
      await store.put('a', source(old))
      const reading = await (await store.get('a'))?.stream()
      await store.put('a', source('new'))
      expect((await bytesOf(reading ?? source())).equals(old)).toBe(true)
      expect(await store.get('a')).toMatchObject({ size: 3 })
    })

    it('shows nothing of an upload whose source fails, and keeps what was there', async () => {
      const store = await open()
      await store.put('a', source('before'))
      await expect(store.put('a', failing('par', 'tial'))).rejects.toThrow('connection lost')
      await expect(store.put('b', failing('partial'))).rejects.toThrow('connection lost')
      expect(await store.get('a')).toMatchObject({ digest: sha256('before') })
      expect(await store.get('b')).toBeNull()
      expect((await store.list()).items).toHaveLength(1)
    })

    it.each(['', '.', '..', 'a/b', 'a\\b', 'a\0b', 'a\nb', 'x'.repeat(256), 'é'.repeat(128), '\ud800'])(
      'refuses %j as a key everywhere',
      async (key) => {
        const store = await open()
        const refusal = { code: 'INVALID_KEY' }
        await expect(store.put(key, source('x'))).rejects.toMatchObject(refusal)
        await expect((async () => store.get(key))()).rejects.toMatchObject(refusal)
        await expect((async () => store.delete(key))()).rejects.toMatchObject(refusal)
      },
    )

    it('names the same object by a key in any Unicode form', async () => {
      const store = await open()
      const [composed, decomposed] = ['caf\u00e9.mp4', 'cafe\u0301.mp4']
      expect(await store.put(decomposed, source('x'))).toMatchObject({ key: composed })
      expect(await store.get(decomposed)).toMatchObject({ key: composed })
      expect((await store.list({ prefix: 'cafe\u0301' })).items).toMatchObject([{ key: composed }])
      const session = await store.createUpload('other')
      await session.append(0, source('y'))
      expect(await session.commit({ key: decomposed })).toMatchObject({ key: composed })
      await expect(store.put(decomposed, source('z'), { ifNoneMatch: '*' })).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      })
      expect(await store.delete(decomposed)).toBe(true)
      expect((await store.list()).items).toEqual([])
    })

    it('measures a key in the form in which it is stored', async () => {
      const store = await open()
      // 254 bytes of UTF-8 composed, 381 decomposed.
      const decomposed = 'e\u0301'.repeat(127)
      expect(await store.put(decomposed, source('x'))).toMatchObject({ key: '\u00e9'.repeat(127) })
    })

    it.each(['a b+&#?%.mp4', 'видео 歌.mp4', '%2e%2e', '__proto__', 'x'.repeat(255)])(
      'takes %j as a key',
      async (key) => {
        const store = await open()
        await store.put(key, source('x'))
        expect(await store.get(key)).toMatchObject({ key })
        expect((await store.list()).items).toMatchObject([{ key }])
      },
    )
  })

  describe(`${name}: limits and types`, () => {
    it('takes a file of exactly the limit and refuses one byte more', async () => {
      const store = await open({ maxFileSize: 10 })
      expect(await store.put('ten', source('01234', '56789'))).toMatchObject({ size: 10 })
      await expect(store.put('eleven', source('01234', '567890'))).rejects.toMatchObject({
        code: 'TOO_LARGE',
      })
      expect(await store.get('eleven')).toBeNull()
    })

    it('stores the detected type, not the declared one', async () => {
      const store = await open({ detectType: (head) => `video/${Buffer.from(head).subarray(0, 4)}` })
      expect(await store.put('a', source('w', 'ebm', '...'), { type: 'text/html' })).toMatchObject({
        type: 'video/webm',
      })
    })

    it('shows the detector the first 4096 bytes, however they arrive', async () => {
      const heads: Buffer[] = []
      const store = await open({
        detectType: async (head) => {
          heads.push(Buffer.from(head))
          return 'video/mp4'
        },
      })
      const bytes = Buffer.from(Array.from({ length: 10_000 }, (_, index) => index % 251))
      await store.put('a', source(bytes.subarray(0, 1), bytes.subarray(1, 5000), bytes.subarray(5000)))
      expect(heads).toEqual([bytes.subarray(0, 4096)])
    })

    it.each([
      [['video/*'], 'video/mp4', true],
      [['video/*', 'audio/mpeg'], 'audio/mpeg', true],
      [['video/*'], 'text/html', false],
      [['video/mp4'], 'video/mp4; codecs=avc1', true],
      [['*/*'], undefined, true],
      [['video/*'], undefined, false],
    ])('with accept %j and content of type %s: %s', async (accept, type, taken) => {
      const store = await open({ accept, detectType: () => type })
      const put = store.put('a', source('x'))
      await (taken ? put : expect(put).rejects.toMatchObject({ code: 'UNSUPPORTED_TYPE' }))
      expect((await store.list()).items).toHaveLength(taken ? 1 : 0)
    })
  })

  describe(`${name}: sessions`, () => {
    it('shows an upload only when it is committed', async () => {
      const store = await open()
      const session = await store.createUpload('a')
      expect(session.id).toMatch(/^[\w-]{22}$/)
      expect(await session.append(0, source('hello '))).toBe(6)
      expect(await session.append(6, source('world'))).toBe(11)
      expect(await session.seal()).toMatchObject({ size: 11, digest: sha256('hello world') })
      expect(await store.get('a')).toBeNull()
      await session.commit()
      expect(await store.get('a')).toMatchObject({ size: 11 })
    })

    it('refuses bytes that do not continue the upload', async () => {
      const session = await (await open()).createUpload('a')
      await session.append(0, source('abc'))
      await expect(session.append(2, source('x'))).rejects.toMatchObject({ code: 'OFFSET_MISMATCH' })
      await expect(session.append(4, source('x'))).rejects.toMatchObject({ code: 'OFFSET_MISMATCH' })
      await session.seal()
      await expect(session.append(3, source('x'))).rejects.toMatchObject({ code: 'OFFSET_MISMATCH' })
    })

    it('commits nothing after an abort, and aborts nothing after a commit', async () => {
      const store = await open()
      const aborted = await store.createUpload('a')
      await aborted.append(0, source('x'))
      await aborted.abort()
      await aborted.abort()
      await expect(aborted.commit()).rejects.toMatchObject({ code: 'ABORTED' })
      expect(await store.get('a')).toBeNull()
      const committed = await store.createUpload('b')
      await committed.commit()
      await committed.abort()
      expect(await store.get('b')).toMatchObject({ size: 0 })
    })

    it('commits under another key after the first was refused', async () => {
      const store = await open()
      await store.put('a', source('first'))
      const session = await store.createUpload('a')
      await session.append(0, source('second'))
      await expect(session.commit({ ifNoneMatch: '*' })).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      })
      expect(await session.commit({ key: 'a-2', ifNoneMatch: '*' })).toMatchObject({ key: 'a-2', size: 6 })
      expect(await store.get('a')).toMatchObject({ size: 5 })
    })

    it('aborts open sessions when the store is closed, and begins no others', async () => {
      const store = await open()
      const session = await store.createUpload('a')
      await session.append(0, source('x'))
      const opening = store.createUpload('b')
      await store.close()
      await expect(session.commit()).rejects.toMatchObject({ code: 'ABORTED' })
      await expect((await opening).commit()).rejects.toMatchObject({ code: 'ABORTED' })
      await expect(store.createUpload('c')).rejects.toMatchObject({ code: 'ABORTED' })
    })

    it('ends an append that waits for a stalled source when it is aborted', async () => {
      const store = await open()
      const session = await store.createUpload('a')
      const stalled = new Readable({ read() {} })
      stalled.push('x')
      const append = session.append(0, stalled)
      await new Promise((resolve) => setTimeout(resolve, 20))
      await session.abort()
      await expect(append).rejects.toMatchObject({ code: 'ABORTED' })
      await expect.poll(() => stalled.destroyed).toBe(true)
      await store.close()
    })

    it('commits nothing after an append that was refused', async () => {
      const store = await open({ maxFileSize: 10, accept: ['video/*'], detectType: () => 'text/html' })
      const tooLarge = await store.createUpload('a')
      await tooLarge.append(0, source('12345'))
      await expect(tooLarge.append(5, source('678901'))).rejects.toMatchObject({ code: 'TOO_LARGE' })
      await expect(tooLarge.commit()).rejects.toMatchObject({ code: 'ABORTED' })
      const wrongType = await store.createUpload('b')
      await wrongType.append(0, source('12345'))
      await expect(wrongType.seal()).rejects.toMatchObject({ code: 'UNSUPPORTED_TYPE' })
      await expect(wrongType.commit()).rejects.toMatchObject({ code: 'UNSUPPORTED_TYPE' })
      expect((await store.list()).items).toEqual([])
    })

    it('publishes only content of the digest that was declared', async () => {
      const store = await open()
      const digest = sha256('right')
      await expect(store.put('a', source('wrong'), { digest })).rejects.toMatchObject({
        code: 'DIGEST_MISMATCH',
      })
      expect(await store.get('a')).toBeNull()
      expect(await store.put('a', source('right'), { digest })).toMatchObject({ digest })
    })
  })

  describe(`${name}: conditions`, () => {
    it('lets exactly one of 20 racers create a key', async () => {
      const store = await open()
      const racers = Array.from({ length: 20 }, (_, index) =>
        store.put('a', source(`racer ${index}`), { ifNoneMatch: '*' }),
      )
      const results = await Promise.allSettled(racers)
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
      expect(refused).toHaveLength(19)
      for (const reason of refused) expect(reason).toMatchObject({ code: 'PRECONDITION_FAILED' })
    })

    it('lets exactly one of 20 racers replace the object that all have seen', async () => {
      const store = await open()
      const { etag } = await store.put('a', source('seen'))
      const racers = Array.from({ length: 20 }, (_, i) => store.put('a', source(`${i}`), { ifMatch: etag }))
      const results = await Promise.allSettled(racers)
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    })

    it('replaces with ifMatch: * whatever is there, and creates nothing', async () => {
      const store = await open()
      const refusal = { code: 'PRECONDITION_FAILED' }
      await expect(store.put('a', source('x'), { ifMatch: '*' })).rejects.toMatchObject(refusal)
      await store.put('a', source('x'))
      expect(await store.put('a', source('yy'), { ifMatch: '*' })).toMatchObject({ size: 2 })
    })

    it('deletes only the object that was meant', async () => {
      const store = await open()
      const { etag } = await store.put('a', source('x'))
      await expect(store.delete('a', { ifMatch: '"other"' })).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      })
      expect(await store.delete('a', { ifMatch: etag })).toBe(true)
      expect(await store.delete('a')).toBe(false)
      expect(await store.get('a')).toBeNull()
    })
  })

  describe(`${name}: metadata`, () => {
    const metadata = { title: 'Die Fähre', duration: 12.5, public: true }

    it('stays with an object that is put, in get and in list', async () => {
      const store = await open()
      expect((await store.put('a', source('a'), { metadata })).metadata).toEqual(metadata)
      expect((await store.get('a'))?.metadata).toEqual(metadata)
      expect((await store.list()).items.map((item) => item.metadata)).toEqual([metadata])
    })

    it('is an empty object by default', async () => {
      const store = await open()
      expect((await store.put('a', source('a'))).metadata).toEqual({})
      expect((await store.get('a'))?.metadata).toEqual({})
    })

    it('of an upload becomes that of the object, without the names that contain a dot', async () => {
      const store = await open()
      const session = await store.createUpload('a', { metadata: { ...metadata, 'protocol.length': 1 } })
      await session.append(0, source('a'))
      expect((await session.commit()).metadata).toEqual(metadata)
      expect((await store.get('a'))?.metadata).toEqual(metadata)
      const known = await store.getUpload(session.id)
      expect(known?.metadata).toEqual({ ...metadata, 'protocol.length': 1 })
      expect(known?.committed?.metadata).toEqual(metadata)
    })

    it('is replaced with the object, and by the option of a commit', async () => {
      const store = await open()
      await store.put('a', source('a'), { metadata })
      await store.put('a', source('a'), { metadata: { title: 'B' } })
      expect((await store.get('a'))?.metadata).toEqual({ title: 'B' })
      await store.put('a', source('a'))
      expect((await store.get('a'))?.metadata).toEqual({})
    })

    it.each([
      ['a name with a dot', { 'a.b': 1 }],
      ['an array', ['a']],
      ['a nested object', { a: {} }],
      ['more than 8 KiB', { a: 'x'.repeat(8192) }],
    ])('is refused with %s, and nothing is stored', async (_, given) => {
      const store = await open()
      const options = { metadata: given as unknown as typeof metadata }
      await expect(store.put('a', source('a'), options)).rejects.toThrow(/etadata/)
      expect(await store.get('a')).toBeNull()
    })
  })

  describe(`${name}: list`, () => {
    it('pages through the keys in the order of their UTF-8 bytes', async () => {
      const store = await open()
      const keys = ['b', 'a', '\u{1f600}', '\uff5e', 'ä', 'B', 'a-2']
      for (const key of keys) await store.put(key, source(key))
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = await store.list({ limit: 2, cursor })
        seen.push(...page.items.map(({ key }) => key))
        cursor = page.cursor ?? undefined
      } while (cursor !== undefined)
      expect(seen).toEqual(['B', 'a', 'a-2', 'b', 'ä', '\uff5e', '\u{1f600}'])
    })

    it('lists only keys with the prefix, and no cursor on the last page', async () => {
      const store = await open()
      for (const key of ['a1', 'a2', 'b1']) await store.put(key, source(key))
      const page = await store.list({ prefix: 'a', limit: 2 })
      expect(page.items.map(({ key }) => key)).toEqual(['a1', 'a2'])
      expect(page.cursor).toBeNull()
    })

    it('continues after a key that was deleted since the previous page', async () => {
      const store = await open()
      for (const key of ['a', 'b', 'c']) await store.put(key, source(key))
      const { cursor } = await store.list({ limit: 2 })
      await store.delete('b')
      const { items } = await store.list({ cursor: cursor ?? undefined })
      expect(items.map(({ key }) => key)).toEqual(['c'])
    })

    const keysOf = async (store: UploadStore, options: ListOptions) => {
      const keys: string[] = []
      let cursor: string | undefined
      do {
        const page = await store.list({ limit: 2, ...options, cursor })
        keys.push(...page.items.map(({ key }) => key))
        cursor = page.cursor ?? undefined
      } while (cursor !== undefined)
      return keys
    }

    /** Objects whose orders by key, date and size differ. */
    async function putDated(store: UploadStore): Promise<void> {
      const dated: [string, number, number][] = [
        ['a', 3, 10],
        ['b', 1, 20],
        ['c', 2, 30],
        ['d', 2, 20],
        ['e', 5, 5],
      ]
      for (const [key, size, second] of dated)
        await store.put(key, source('x'.repeat(size)), { lastModified: 1_700_000_000_000 + second * 1000 })
    }

    it('has the newest or the largest objects first, in pages', async () => {
      const store = await open()
      await putDated(store)
      expect(await keysOf(store, { order: 'newest' })).toEqual(['c', 'b', 'd', 'a', 'e'])
      expect(await keysOf(store, { order: 'largest' })).toEqual(['e', 'a', 'c', 'd', 'b'])
      const { total } = await store.list({ order: 'largest', limit: 1 })
      expect(total).toEqual({ count: 5, size: 13 })
    })

    it('sorts names as people do: without case and accents, and 2 before 10', async () => {
      const store = await open()
      const keys = ['Äpfel 2', 'apfel 10', 'Zug', 'apfel 2', 'birne', '10', '9']
      for (const key of keys) await store.put(key, source(key))
      const sorted = ['9', '10', 'apfel 2', 'Äpfel 2', 'apfel 10', 'birne', 'Zug']
      expect(await keysOf(store, { order: 'name' })).toEqual(sorted)
    })

    it('continues in every order after the last object was replaced or deleted', async () => {
      const store = await open()
      await putDated(store)
      const first = await store.list({ order: 'newest', limit: 2 })
      await store.delete('b')
      await store.put('c', source('x'), { lastModified: 1_700_000_000_000 })
      const rest = await store.list({ order: 'newest', cursor: first.cursor ?? '' })
      expect(rest.items.map(({ key }) => key)).toEqual(['d', 'a', 'e', 'c'])
    })

    it('finds a part of a name, whatever its case, accents and Unicode form', async () => {
      const store = await open()
      for (const key of ['Fähre 1.mp4', 'FA\u0308HRE 2.mp4', 'ferry.mp4', 'Große Fahrt.mp4'])
        await store.put(key, source(key))
      expect(await keysOf(store, { contains: 'fähre' })).toEqual(['FÄHRE 2.mp4', 'Fähre 1.mp4'])
      expect(await keysOf(store, { contains: 'FAHR' })).toHaveLength(3)
      expect(await keysOf(store, { contains: 'grosse' })).toEqual(['Große Fahrt.mp4'])
      expect(await keysOf(store, { contains: 'ähre', prefix: 'Fa\u0308' })).toEqual(['Fähre 1.mp4'])
      expect(await keysOf(store, { contains: 'none' })).toEqual([])
    })

    it('omits companions of existing objects if asked to', async () => {
      const store = await open()
      const companions = ['a.mp4.de.vtt', 'a.mp4.poster.jpg', 'a.mp4.storyboard.jpg', 'a.mp4.vtt']
      for (const key of ['a.mp4', ...companions, 'b.mp4.vtt', 'notes.vtt']) await store.put(key, source(key))
      const own = ['a.mp4', 'b.mp4.vtt', 'notes.vtt']
      expect(await keysOf(store, { companions: false })).toEqual(own)
      expect(await keysOf(store, {})).toEqual([...own.slice(0, 1), ...companions, ...own.slice(1)])
      expect((await keysOf(store, { companions: false, order: 'newest' })).toSorted()).toEqual(own)
      await store.delete('a.mp4')
      expect(await keysOf(store, { companions: false })).toEqual([...companions, ...own.slice(1)])
    })
  })

  describe(`${name}: companions`, () => {
    const jpeg = Buffer.from([0xff, 0xd8, 0xff])
    const detectType = (head: Uint8Array) =>
      head[0] === 0xff
        ? 'image/jpeg'
        : Buffer.from(head).toString().startsWith('WEBVTT')
          ? 'text/vtt'
          : 'video/mp4'
    const openVideos = () => open({ companions: true, accept: ['video/*'], detectType })

    it('are accepted beside an existing object only, and only of their type', async () => {
      const store = await openVideos()
      const refused = { code: 'UNSUPPORTED_TYPE' }
      await expect(store.put('a.mp4.poster.jpg', source(jpeg))).rejects.toMatchObject(refused)
      await store.put('a.mp4', source('film'))
      await store.put('a.mp4.poster.jpg', source(jpeg))
      await store.put('a.mp4.pt-BR.vtt', source('WEBVTT'))
      await expect(store.put('a.mp4.vtt', source(jpeg))).rejects.toMatchObject(refused)
      await expect(store.put('a.mp4.storyboard.jpg', source('film'))).rejects.toMatchObject(refused)
      await expect(store.put('other.jpg', source(jpeg))).rejects.toMatchObject(refused)
    })

    it('have at most 1 MiB', async () => {
      const store = await openVideos()
      await store.put('a.mp4', source('film'))
      const large = source(jpeg, Buffer.alloc(1024 ** 2))
      await expect(store.put('a.mp4.poster.jpg', large)).rejects.toMatchObject({ code: 'TOO_LARGE' })
      await store.put('a.mp4.poster.jpg', source(jpeg, Buffer.alloc(1024 ** 2 - 3)))
    })

    it('cannot be published under a key that is not one of a companion', async () => {
      const store = await openVideos()
      await store.put('a.mp4', source('film'))
      const session = await store.createUpload('a.mp4.poster.jpg')
      await session.append(0, source(jpeg))
      await expect(session.commit({ key: 'a.mp4.poster-2.jpg' })).rejects.toMatchObject({
        code: 'UNSUPPORTED_TYPE',
      })
      await session.abort()
    })

    it('keep their limits when their upload is resumed', async () => {
      const store = await openVideos()
      await store.put('a.mp4', source('film'))
      const session = await store.createUpload('a.mp4.poster.jpg', { metadata: {} })
      await session.append(0, source(jpeg))
      await session.pause()
      const resumed = await store.resumeUpload(session.id)
      expect(await resumed?.commit()).toMatchObject({ key: 'a.mp4.poster.jpg', type: 'image/jpeg' })
    })

    it('are deleted with their object, and those of other objects stay', async () => {
      const store = await openVideos()
      for (const key of ['a.mp4', 'a.mp4.de', 'b.mp4']) await store.put(key, source('film'))
      for (const key of ['a.mp4.vtt', 'a.mp4.en.vtt', 'a.mp4.de.vtt', 'b.mp4.vtt'])
        await store.put(key, source('WEBVTT'))
      expect(await store.delete('a.mp4')).toBe(true)
      const { items } = await store.list()
      expect(items.map(({ key }) => key)).toEqual(['a.mp4.de', 'a.mp4.de.vtt', 'b.mp4', 'b.mp4.vtt'])
    })
  })
}
