import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DamagedEntry } from 'upload-store'
import type { S3StoreOptions } from 'upload-store/s3'
import { describe, expect, it } from 'vitest'
import { describeWith } from '../support/tools.ts'
import { bytesOf, source } from '../upload-store/contract.ts'
import { CEPH, Ceph } from './ceph.ts'
import { Objects } from './objects.ts'

const MEBIBYTE = 1024 ** 2
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const parted = randomBytes(12 * MEBIBYTE + 5)
const small = { partSize: 5 * MEBIBYTE }

describeWith(CEPH, 'S3 store on Ceph: what is in the bucket', () => {
  const ceph = new Ceph()
  const open = (options: Partial<S3StoreOptions> = {}) => {
    const prefix = `${randomUUID()}/`
    const store = ceph.open({ prefix, ...options })
    return { store, prefix, objects: new Objects(ceph.connection, prefix) }
  }
  const read = async (store: ReturnType<typeof ceph.open>, key: string) =>
    bytesOf((await (await store.get(key))?.stream()) ?? source())

  describe('objects', () => {
    it('are a blob with a random name and a record with an escaped one, and nothing else', async () => {
      const { store, objects } = open(small)
      await store.put('видео %2e.mp4', source(parted))
      await store.put('b', source('small'))
      const names = await objects.names()
      expect(names.filter((name) => /^blobs\/[\w-]{22}$/.test(name))).toHaveLength(2)
      expect(names.filter((name) => /^records\/[\x21-\x7e]+$/.test(name))).toHaveLength(2)
      expect(names).toHaveLength(4)
      expect(sha256(await read(store, 'видео %2e.mp4'))).toBe(sha256(parted))
    })

    it('leave nothing of what was cut, refused or aborted', async () => {
      const { store, objects } = open({ ...small, maxFileSize: 12 * MEBIBYTE })
      const cut = async function* () {
        yield parted.subarray(0, 11 * MEBIBYTE)
        throw new Error('connection lost')
      }
      await expect(store.put('a', cut())).rejects.toThrow('connection lost')
      await expect(store.put('a', source(parted))).rejects.toMatchObject({ code: 'TOO_LARGE' })
      const session = await store.createUpload('a', { metadata: {} })
      await session.append(0, source(parted.subarray(0, 11 * MEBIBYTE)))
      await session.abort()
      await expect.poll(() => objects.names()).toEqual([])
      await expect.poll(() => objects.multiparts()).toEqual([])
    })

    it('are what is under a key a second after another process has replaced them, and at once after this one', async () => {
      const { store, prefix } = open()
      const other = ceph.open({ prefix })
      await store.put('a', source('1'))
      expect(await store.get('a')).toMatchObject({ digest: sha256(Buffer.from('1')) })
      await other.put('a', source('2'))
      await sleep(1000)
      expect(await store.get('a')).toMatchObject({ digest: sha256(Buffer.from('2')) })
      await store.put('a', source('3'))
      expect(await store.get('a')).toMatchObject({ digest: sha256(Buffer.from('3')) })
      await store.delete('a')
      expect(await store.get('a')).toBeNull()
    })

    it('are read to the end by readers that opened them before they were replaced', async () => {
      const { store } = open()
      await store.put('a', source('old'))
      const content = await store.get('a')
      await store.put('a', source('new'))
      expect(String(await bytesOf((await content?.stream()) ?? source()))).toBe('old')
    })

    it('have a URL that anybody can read them by, and a range of them, with their type', async () => {
      const { store } = open()
      await store.put('a', source('hello world'), { type: 'video/mp4' })
      const url = await (await store.get('a'))?.signedUrl?.({ expiresIn: 30 })
      const whole = await fetch(url ?? '')
      expect([whole.status, whole.headers.get('content-type'), await whole.text()]).toEqual([
        200,
        'video/mp4',
        'hello world',
      ])
      const part = await fetch(url ?? '', { headers: { range: 'bytes=6-10' } })
      expect([part.status, await part.text()]).toEqual([206, 'world'])
    })

    it('answer at that URL with the fields that were asked for, until its time is over', async () => {
      const { store } = open()
      await store.put('a', source('hello world'))
      const content = await store.get('a')
      const contentDisposition = `attachment; filename="\u00f6"; filename*=UTF-8''%C3%B6`
      const url = await content?.signedUrl?.({ contentDisposition, cacheControl: 'private' })
      const { headers } = await fetch(url ?? '')
      expect(headers.get('cache-control')).toBe('private')
      expect(headers.get('content-disposition')).toContain("filename*=UTF-8''%C3%B6")
      const short = await content?.signedUrl?.({ expiresIn: 5 })
      expect((await fetch(short ?? '')).status).toBe(200)
      await expect.poll(async () => (await fetch(short ?? '')).status).toBe(403)
    })

    it('whose record is damaged or a copy of another one are not listed, are reported once, and can be replaced and deleted', async () => {
      const damaged: DamagedEntry[] = []
      const { store, objects, prefix } = open({ recordMaxAge: 0, onDamaged: (entry) => damaged.push(entry) })
      await store.put('a', source('a'))
      const record = await objects.read('records/a')
      const texts = [
        '{',
        record.replace('"key":"a"', '"key":"b"'),
        record.replace('"size":1', '"size":-1'),
        record.replace('"type":"', '"type":"a\\r\\nb: c'),
      ]
      for (const text of texts) {
        await objects.write('records/a', text)
        await expect(store.get('a')).rejects.toMatchObject({ code: 'CORRUPT' })
        expect((await store.list()).items).toEqual([])
      }
      expect(damaged.map(({ entry }) => entry)).toEqual([`${prefix}records/a`])
      await store.put('a', source('new'), { ifNoneMatch: '*' })
      expect(String(await read(store, 'a'))).toBe('new')
      await objects.write('records/a', '{')
      expect(await store.delete('a')).toBe(true)
      expect(await store.get('a')).toBeNull()
    })

    it('say CORRUPT when their bytes are missing or others, and their record damaged', async () => {
      const { store, objects } = open({ recordMaxAge: 0 })
      await store.put('a', source('hello'))
      const [blob = ''] = (await objects.names()).filter((name) => name.startsWith('blobs/'))
      await objects.write(blob, 'HELLO')
      await expect((await store.get('a'))?.stream()).rejects.toMatchObject({ code: 'CORRUPT' })
      await objects.remove(blob)
      await expect((await store.get('a'))?.stream()).rejects.toMatchObject({ code: 'CORRUPT' })
      await objects.write('records/a', '{')
      await expect(store.get('a')).rejects.toMatchObject({ code: 'CORRUPT' })
      expect((await store.list()).items).toEqual([])
      await store.put('a', source('anew'))
      expect(String(await read(store, 'a'))).toBe('anew')
    })

    it('let 20 processes, as it were, replace one after the other, and all blobs but one go', async () => {
      const { store, prefix } = open()
      const stores = Array.from({ length: 20 }, () => ceph.open({ prefix }))
      await Promise.all(stores.map((each, index) => each.put('a', source(`${index}`))))
      const content = await store.get('a')
      const bytes = await bytesOf((await content?.stream()) ?? source())
      expect(content?.digest).toBe(sha256(bytes))
    })
  })

  describe('requests', () => {
    const count = async (task: () => Promise<unknown>) => {
      let requests = 0
      const listener = () => requests++
      subscribe('http.client.request.start', listener)
      try {
        await task()
      } finally {
        unsubscribe('http.client.request.start', listener)
      }
      return requests
    }

    it('are as many as the README says', async () => {
      const { store } = open({ ...small, recordMaxAge: 60_000 })
      expect(await count(() => store.put('a', source('x')))).toBe(2)
      expect(await count(() => store.put('a', source('y')))).toBe(4)
      expect(await count(() => store.put('b', source(parted)))).toBe(3 + 4)
      expect(await count(() => store.get('a'))).toBe(1)
      expect(await count(async () => bytesOf((await (await store.get('a'))?.stream()) ?? source()))).toBe(1)
      expect(await count(() => store.list())).toBe(3)
      expect(await count(() => store.sweep())).toBeLessThanOrEqual(7)
    })

    it('of an upload with metadata are as many as the README says', async () => {
      const { store } = open(small)
      let id = ''
      const upload = async (bytes: Uint8Array) => {
        const session = await store.createUpload('a', { metadata: {} })
        await session.append(0, source(bytes))
        await session.commit()
        id = session.id
      }
      expect(await count(() => upload(Buffer.from('x')))).toBe(2 + 3)
      await store.delete('a')
      expect(await count(() => upload(parted))).toBeLessThanOrEqual(3 + 4 + 3 + 3 + 1)
      expect(await count(() => store.interruptUpload(id))).toBe(1)
      const paused = await store.createUpload('a', { metadata: {} })
      await paused.pause()
      const append = async () => {
        const session = await store.resumeUpload(paused.id)
        await session?.append(0, source('x'))
        await session?.pause()
      }
      expect(await count(append)).toBe(4)
    })
  })

  describe('uploads in pieces', () => {
    it('write each byte of small appends once before the part is full, and then nothing but the part', async () => {
      const { store, objects } = open(small)
      const { id } = await store.createUpload('a', { metadata: {} })
      const step = MEBIBYTE + 7
      for (let offset = 0; offset < 5 * MEBIBYTE - step; offset += step) {
        const session = await store.resumeUpload(id)
        await session?.append(offset, source(parted.subarray(offset, offset + step)))
        await session?.pause()
      }
      const tails = Object.entries(await objects.sizes()).filter(([name]) => !name.endsWith('.json'))
      expect(tails.map(([, size]) => size)).toEqual([step, step, step, step])
      expect(await objects.multiparts()).toEqual([])
      const session = await store.resumeUpload(id)
      await session?.append(4 * step, source(parted.subarray(4 * step)))
      expect(await session?.commit()).toMatchObject({ size: parted.length, digest: sha256(parted) })
      expect(sha256(await read(store, 'a'))).toBe(sha256(parted))
      // The receipt, the record, the blob.
      await expect.poll(async () => (await objects.names()).length).toBe(3)
    })

    it.each([1, 5 * MEBIBYTE, 5 * MEBIBYTE + 1, 10 * MEBIBYTE])(
      'resume in another process from %i bytes, whether or not other processes know of them from the start',
      async (length) => {
        for (const options of [{ metadata: {} }, {}]) {
          const { store, prefix } = open(small)
          const session = await store.createUpload('a', { type: 'video/mp4', ...options })
          await session.append(0, source(parted.subarray(0, length)))
          expect(await session.pause()).toBe(length)
          const other = ceph.open({ prefix, ...small })
          const resumed = await other.resumeUpload(session.id)
          await resumed?.append(length, source(parted.subarray(length)))
          expect(await resumed?.commit()).toMatchObject({ type: 'video/mp4', digest: sha256(parted) })
          expect(sha256(await read(store, 'a'))).toBe(sha256(parted))
        }
      },
    )

    it('detect the type by what came before they were paused', async () => {
      const heads: Uint8Array[] = []
      const detectType = (head: Uint8Array) => {
        heads.push(Uint8Array.from(head))
        return 'video/mp4'
      }
      const { store, prefix } = open({ detectType })
      const session = await store.createUpload('a', { metadata: {} })
      await session.append(0, source(parted.subarray(0, 1000)))
      await session.pause()
      const resumed = await ceph.open({ prefix, detectType }).resumeUpload(session.id)
      await resumed?.append(1000, source(parted.subarray(1000, 9000)))
      await resumed?.commit()
      expect(heads.map((head) => Buffer.from(head).equals(parted.subarray(0, 4096)))).toEqual([true])
    })

    it('are refused if they are resumed in a store with a lower limit', async () => {
      const { store, prefix } = open()
      const session = await store.createUpload('a', { metadata: {} })
      await session.append(0, source('12345'))
      await session.pause()
      const strict = ceph.open({ prefix, maxFileSize: 4 })
      await expect(strict.resumeUpload(session.id)).rejects.toMatchObject({ code: 'TOO_LARGE' })
      expect(await store.interruptUpload(session.id)).toMatchObject({ offset: 5 })
    })

    it.each([3, 9 * MEBIBYTE])(
      'take %i bytes back that are refused, behind any that are kept',
      async (length) => {
        for (const kept of [6, 6 * MEBIBYTE]) {
          const { store } = open(small)
          const session = await store.createUpload('a', { metadata: {} })
          await session.append(0, source(parted.subarray(0, kept)))
          const wrong = session.append(kept, source(Buffer.alloc(length)), {
            verify: () => {
              throw new Error('not these')
            },
          })
          await expect(wrong).rejects.toThrow('not these')
          expect(await session.pause()).toBe(kept)
          const resumed = await store.resumeUpload(session.id)
          await resumed?.append(kept, source(parted.subarray(kept)), { verify: () => {} })
          expect(await resumed?.commit()).toMatchObject({ digest: sha256(parted) })
          expect(sha256(await read(store, 'a'))).toBe(sha256(parted))
        }
      },
    )

    it('tell what is durable part by part, and so much is there when their writer is gone', async () => {
      const { store, prefix } = open(small)
      const session = await store.createUpload('a', { metadata: {} })
      const told: number[] = []
      const stalled = new Readable({ read() {} })
      stalled.push(parted)
      const append = session.append(0, stalled, { onDurable: (offset) => told.push(offset) })
      append.catch(() => {})
      await expect.poll(() => told.at(-1)).toBe(10 * MEBIBYTE)
      expect(told.every((offset) => offset % (5 * MEBIBYTE) === 0)).toBe(true)
      const other = ceph.open({ prefix, ...small })
      const resumed = await other.resumeUpload(session.id)
      expect(resumed?.offset).toBe(10 * MEBIBYTE)
      await resumed?.append(10 * MEBIBYTE, source(parted.subarray(10 * MEBIBYTE)))
      expect(await resumed?.commit()).toMatchObject({ digest: sha256(parted) })
      await expect(session.pause()).rejects.toMatchObject({ code: 'ABORTED' })
      expect(sha256(await read(store, 'a'))).toBe(sha256(parted))
    })

    it('may be paused, resumed and appended to after their commit was refused', async () => {
      const { store } = open(small)
      await store.put('a', source('x'))
      const session = await store.createUpload('a', { metadata: {} })
      await session.append(0, source(parted))
      const refusal = { code: 'PRECONDITION_FAILED' }
      await expect(session.commit({ ifNoneMatch: '*' })).rejects.toMatchObject(refusal)
      expect(await session.pause()).toBe(parted.length)
      const resumed = await store.resumeUpload(session.id)
      await resumed?.append(parted.length, source('more'))
      const all = Buffer.concat([parted, Buffer.from('more')])
      expect(await resumed?.commit({ key: 'b' })).toMatchObject({ key: 'b', digest: sha256(all) })
      expect(sha256(await read(store, 'b'))).toBe(sha256(all))
    })
  })
})
