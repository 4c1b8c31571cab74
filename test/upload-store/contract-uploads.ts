import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { StoreOptions, UploadStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { closingAfterwards } from './closing-afterwards.ts'
import { bytesOf, source } from './contract.ts'

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')
const HOUR = 60 * 60 * 1000

/** What every store promises of uploads that are created with metadata, for protocols that come back to them. */
export function describeUploads(
  name: string,
  openStore: (options?: StoreOptions) => Promise<UploadStore>,
): void {
  const open = closingAfterwards(openStore)
  describe(`${name}: uploads with metadata`, () => {
    it('are known from the start: key, metadata, offset, and until when', async () => {
      const store = await open({ expireAfter: HOUR })
      const { id } = await store.createUpload('a.mp4', {
        metadata: { length: 11, name: 'é.mp4', last: true },
      })
      const state = await store.interruptUpload(id)
      expect(state).toMatchObject({ id, key: 'a.mp4', offset: 0, committed: null })
      expect(state?.metadata).toEqual({ length: 11, name: 'é.mp4', last: true })
      expect(Math.abs((state?.expires ?? 0) - Date.now() - HOUR)).toBeLessThan(60_000)
      expect(await store.resumeUpload(id)).toMatchObject({ offset: 0, metadata: { length: 11 } })
    })

    it('report their offset after their writer was stopped', async () => {
      const store = await open()
      const session = await store.createUpload('a', { metadata: {} })
      const stalled = new Readable({ read() {} })
      stalled.push('hello ')
      const append = session.append(0, stalled)
      append.catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(await store.interruptUpload(session.id)).toMatchObject({ offset: 6 })
      await expect(append).rejects.toMatchObject({ code: 'ABORTED' })
      const resumed = await store.resumeUpload(session.id)
      await resumed?.append(6, source('world'))
      expect(await resumed?.commit()).toMatchObject({ digest: sha256('hello world') })
    })

    it('can be inspected again and again, and resumed in between', async () => {
      const store = await open()
      const { id } = await store.createUpload('a', { metadata: {} })
      const bytes = Buffer.from(Array.from({ length: 700_001 }, (_, index) => (index * 7) % 251))
      for (let offset = 0; offset < bytes.length; offset += 100_000) {
        const session = await store.resumeUpload(id)
        await session?.append(offset, source(bytes.subarray(offset, offset + 100_000)))
        for (const _ of [1, 2]) {
          expect(await store.interruptUpload(id)).toMatchObject({
            offset: Math.min(offset + 100_000, bytes.length),
          })
        }
      }
      expect(await (await store.resumeUpload(id))?.commit()).toMatchObject({ digest: sha256(bytes) })
    })

    it('keep the metadata that was noted last', async () => {
      const store = await open()
      const session = await store.createUpload('a', { metadata: { length: 1 } })
      await session.append(0, source('x'))
      await session.setMetadata({ length: 2 })
      expect(session.metadata).toEqual({ length: 2 })
      expect(await store.interruptUpload(session.id)).toMatchObject({ offset: 1, metadata: { length: 2 } })
      await session.pause()
      expect(await store.resumeUpload(session.id)).toMatchObject({ metadata: { length: 2 } })
    })

    it.each([
      ['an object in it', { a: {} }],
      ['null in it', { a: null }],
      ['no number in it', { a: Number.NaN }],
      ['more than 8 KiB', { a: 'x'.repeat(8192) }],
    ])('are refused with %s', async (_, metadata) => {
      const store = await open()
      // As from JavaScript.
      const given = JSON.parse(JSON.stringify(metadata))
      if ('a' in metadata && Number.isNaN(metadata.a)) given.a = Number.NaN
      await expect(store.createUpload('a', { metadata: given })).rejects.toThrow(
        /The metadata (?:is not|has)/,
      )
    })

    it('leave a receipt: what they have become, even when that is gone', async () => {
      const store = await open({ expireAfter: HOUR })
      const session = await store.createUpload('a', { metadata: { name: 'b' } })
      await session.append(0, source('hello'))
      const object = await session.commit({ key: 'b' })
      const receipt = { id: session.id, offset: 5, metadata: { name: 'b' }, committed: object }
      expect(await store.interruptUpload(session.id)).toMatchObject(receipt)
      expect(await store.resumeUpload(session.id)).toBeNull()
      await store.recover()
      await store.sweep()
      await store.delete('b')
      expect(await store.interruptUpload(session.id)).toMatchObject(receipt)
    })

    it('leave no receipt when they are aborted, refused, or were never known', async () => {
      const store = await open()
      const aborted = await store.createUpload('a', { metadata: {} })
      await aborted.abort()
      expect(await store.interruptUpload(aborted.id)).toBeNull()
      await store.put('a', source('x'))
      const refused = await store.createUpload('a', { metadata: {} })
      await refused.append(0, source('y'))
      await expect(refused.commit({ ifNoneMatch: '*' })).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      })
      await refused.abort()
      expect(await store.interruptUpload(refused.id)).toBeNull()
      for (const id of ['', 'x', '../../etc/passwd', 'A'.repeat(22)]) {
        expect(await store.interruptUpload(id)).toBeNull()
      }
    })

    it('can be inspected without stopping their writer', async () => {
      const store = await open()
      const session = await store.createUpload('a', { metadata: { name: 'b' } })
      const identity = { id: session.id, key: 'a', metadata: { name: 'b' }, committed: null }
      expect(await store.getUpload(session.id)).toEqual(identity)
      await session.append(0, source('hello '))
      await session.pause()
      expect(await store.getUpload(session.id)).toEqual(identity)
      const resumed = await store.resumeUpload(session.id)
      const append = resumed?.append(6, source('wor', 'ld'))
      expect(await store.getUpload(session.id)).toEqual(identity)
      expect(await append).toBe(11)
      const object = await resumed?.commit()
      expect(await store.getUpload(session.id)).toEqual({ ...identity, committed: object })
      for (const id of ['', 'x', '../../etc/passwd', 'A'.repeat(22)])
        expect(await store.getUpload(id)).toBeNull()
      // Nobody can come back to it, so nobody is told of it.
      const unknown = await store.createUpload('a')
      expect(await store.getUpload(unknown.id)).toBeNull()
      await unknown.abort()
    })

    it('are forgotten: the staged bytes are removed, and the writer is stopped', async () => {
      const store = await open()
      const session = await store.createUpload('a', { metadata: {} })
      const stalled = new Readable({ read() {} })
      stalled.push('hello ')
      const append = session.append(0, stalled)
      append.catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(await store.deleteUpload(session.id)).toBe(true)
      await expect(append).rejects.toMatchObject({ code: 'ABORTED' })
      for (const look of ['interruptUpload', 'getUpload', 'resumeUpload'] as const) {
        expect(await store[look](session.id)).toBeNull()
      }
      expect(await store.deleteUpload(session.id)).toBe(false)
      expect(await store.get('a')).toBeNull()
    })

    it('are forgotten: a receipt goes, and its object stays', async () => {
      const store = await open()
      const session = await store.createUpload('a', { metadata: {} })
      await session.append(0, source('hello'))
      await session.commit()
      expect(await store.deleteUpload(session.id)).toBe(true)
      expect(await store.interruptUpload(session.id)).toBeNull()
      expect(await store.get('a')).toMatchObject({ digest: sha256('hello') })
    })

    it('become an object or nothing when they are forgotten in the middle of a commit', async () => {
      const store = await open()
      for (let round = 0; round < 20; round++) {
        const session = await store.createUpload(`${round}`, { metadata: {} })
        await session.append(0, source('hello'))
        const commit = session.commit().then(
          () => 'committed',
          () => 'refused',
        )
        for (let turn = 0; turn < round; turn++) await new Promise(setImmediate)
        expect(await store.deleteUpload(session.id)).toBe(true)
        expect([await commit, (await store.get(`${round}`)) !== null]).toEqual(
          (await commit) === 'committed' ? ['committed', true] : ['refused', false],
        )
        expect(await store.interruptUpload(session.id)).toBeNull()
      }
    })

    it('lose their receipts when they expire', async () => {
      const store = await open({ expireAfter: 100 })
      const session = await store.createUpload('a', { metadata: {} })
      await session.append(0, source('x'))
      await session.commit()
      await new Promise((resolve) => setTimeout(resolve, 200))
      expect(await store.sweep()).toMatchObject({ expired: 0, discarded: 0 })
      expect(await store.interruptUpload(session.id)).toBeNull()
      expect(await store.get('a')).not.toBeNull()
    })
  })

  describe(`${name}: bytes that are verified`, () => {
    const no = () => {
      throw new Error('not these')
    }

    it('count when nothing speaks against them', async () => {
      const store = await open()
      const session = await store.createUpload('a', { metadata: {} })
      expect(await session.append(0, source('x'), { verify: async () => {} })).toBe(1)
      await session.append(1, source('y'))
      expect(await session.commit()).toMatchObject({ digest: sha256('xy') })
    })

    it.each([3, 300_000, 3_000_000])('are removed, all %i of them, if something does', async (length) => {
      const store = await open()
      const session = await store.createUpload('a', { metadata: {} })
      await session.append(0, source('hello '))
      const wrong = Buffer.alloc(length, 'x')
      await expect(session.append(6, source(wrong), { verify: no })).rejects.toThrow('not these')
      // Nothing can be built on what has been hashed.
      await expect(session.append(6, source('world'))).rejects.toMatchObject({ code: 'ABORTED' })
      expect(await session.pause()).toBe(6)
      const resumed = await store.resumeUpload(session.id)
      expect(resumed).toMatchObject({ offset: 6 })
      await resumed?.append(6, source('world'))
      expect(await resumed?.commit()).toMatchObject({ size: 11, digest: sha256('hello world') })
      const content = await store.get('a')
      expect(String(await bytesOf((await content?.stream()) ?? source()))).toBe('hello world')
    })

    it('are never reported to a caller while they are being checked', async () => {
      const store = await open()
      const session = await store.createUpload('a', { metadata: {} })
      await session.append(0, source('hello '))
      let refuse = () => {}
      const verify = () => new Promise<void>((_, reject) => (refuse = () => reject(new Error('not these'))))
      const append = session.append(6, source('wrong'), { verify })
      append.catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 50))
      const state = store.interruptUpload(session.id)
      refuse()
      await expect(append).rejects.toThrow('not these')
      expect(await state).toMatchObject({ offset: 6 })
    })
  })
}
