import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { StoreOptions, UploadStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { closingAfterwards } from './closing-afterwards.ts'
import { bytesOf, source } from './contract.ts'

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')

/** What every store promises of uploads that are paused and resumed. */
export function describeResumption(
  name: string,
  openStore: (options?: StoreOptions) => Promise<UploadStore>,
): void {
  const open = closingAfterwards(openStore)
  describe(`${name}: paused uploads`, () => {
    it('resume where they were paused, any number of times', async () => {
      const store = await open()
      let session = await store.createUpload('a.mp4', { type: 'video/mp4' })
      const { id } = session
      const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 7) % 251))
      for (let offset = 0; offset < bytes.length; offset += 300_000) {
        await session.append(offset, source(bytes.subarray(offset, offset + 300_000)))
        expect(await session.pause()).toBe(Math.min(offset + 300_000, bytes.length))
        session = (await store.resumeUpload(id)) ?? session
        expect(session).toMatchObject({ id, key: 'a.mp4', offset: Math.min(offset + 300_000, bytes.length) })
      }
      const object = await session.commit()
      expect(object).toMatchObject({ size: bytes.length, type: 'video/mp4', digest: sha256(bytes) })
      const content = await store.get('a.mp4')
      expect((await bytesOf((await content?.stream()) ?? source())).equals(bytes)).toBe(true)
    })

    it('keep what arrived before their source failed', async () => {
      const store = await open()
      const session = await store.createUpload('a')
      const failing = async function* () {
        yield Buffer.from('hello ')
        throw new Error('connection lost')
      }
      await expect(session.append(0, failing())).rejects.toThrow('connection lost')
      expect(await session.pause()).toBe(6)
      const resumed = await store.resumeUpload(session.id)
      await resumed?.append(6, source('world'))
      expect(await resumed?.commit()).toMatchObject({ size: 11, digest: sha256('hello world') })
    })

    it('show nothing, and take nothing more from who paused them', async () => {
      const store = await open()
      const session = await store.createUpload('a')
      await session.append(0, source('x'))
      await session.pause()
      expect(await session.pause()).toBe(1)
      expect(await store.get('a')).toBeNull()
      for (const step of [session.append(1, source('y')), session.seal(), session.commit()]) {
        await expect(step).rejects.toMatchObject({ code: 'ABORTED' })
      }
      // Not its own any more, so not its own to remove.
      await session.abort()
      expect(await store.resumeUpload(session.id)).toMatchObject({ offset: 1 })
    })

    it('are taken from who still writes them, even where no byte comes', async () => {
      const store = await open()
      const session = await store.createUpload('a')
      const stalled = new Readable({ read() {} })
      stalled.push('hello ')
      const append = session.append(0, stalled)
      append.catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 50))
      const resumed = await store.resumeUpload(session.id)
      await expect(append).rejects.toMatchObject({ code: 'ABORTED' })
      expect(resumed).toMatchObject({ offset: 6 })
      await resumed?.append(6, source('world'))
      expect(await resumed?.commit()).toMatchObject({ digest: sha256('hello world') })
    })

    it('end with an abort or a pause, at whatever moment it comes', async () => {
      const store = await open()
      for (let moment = 0; moment < 12; moment++) {
        const session = await store.createUpload('a')
        const stalled = new Readable({ read() {} })
        stalled.push('x')
        const append = session.append(0, stalled)
        append.catch(() => {})
        for (let turn = 0; turn < moment; turn++) await Promise.resolve()
        await (moment % 2 === 0 ? session.abort() : session.pause())
        await expect(append).rejects.toMatchObject({ code: 'ABORTED' })
      }
    })

    it('are aborted or paused by what was called first', async () => {
      const store = await open()
      const aborted = await store.createUpload('a')
      await aborted.append(0, source('x'))
      const ends = await Promise.allSettled([aborted.abort(), aborted.pause()])
      expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
      expect(await store.resumeUpload(aborted.id)).toBeNull()
      const paused = await store.createUpload('b')
      await paused.append(0, source('x'))
      expect(await Promise.all([paused.pause(), paused.abort()])).toEqual([1, undefined])
      expect(await store.resumeUpload(paused.id)).toMatchObject({ offset: 1 })
    })

    it('belong to one of many who resume them at once', async () => {
      const store = await open()
      const session = await store.createUpload('a')
      await session.append(0, source('x'))
      await session.pause()
      const resumed = await Promise.allSettled(
        Array.from({ length: 10 }, () => store.resumeUpload(session.id)),
      )
      const appends = resumed.map(async (result) => {
        if (result.status === 'fulfilled') await result.value?.append(1, source('y'))
        else throw result.reason
      })
      const won = (await Promise.allSettled(appends)).filter(({ status }) => status === 'fulfilled')
      expect(won).toHaveLength(1)
      expect(await (await store.resumeUpload(session.id))?.commit()).toMatchObject({ digest: sha256('xy') })
    })

    it('can be sealed, paused, resumed and committed', async () => {
      const store = await open()
      const session = await store.createUpload('a')
      await session.append(0, source('hello'))
      await session.seal()
      expect(await session.pause()).toBe(5)
      const resumed = await store.resumeUpload(session.id)
      expect(await resumed?.commit()).toMatchObject({ digest: sha256('hello') })
      expect(await store.resumeUpload(session.id)).toBeNull()
    })

    it('can be aborted once they are resumed', async () => {
      const store = await open()
      const session = await store.createUpload('a')
      await session.pause()
      await (await store.resumeUpload(session.id))?.abort()
      expect(await store.resumeUpload(session.id)).toBeNull()
    })

    it.each(['', 'x', '../../etc/passwd', 'A'.repeat(22)])('do not exist under the id %j', async (id) => {
      expect(await (await open()).resumeUpload(id)).toBeNull()
    })

    it('must still have the digest that was declared', async () => {
      const store = await open()
      const session = await store.createUpload('a', { digest: sha256('right') })
      await session.append(0, source('wr'))
      await session.pause()
      const resumed = await store.resumeUpload(session.id)
      await resumed?.append(2, source('ong'))
      await expect(resumed?.commit()).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
    })

    it('outlive the closing of their store, which aborts the others', async () => {
      const store = await open()
      const session = await store.createUpload('a')
      await session.append(0, source('x'))
      await session.pause()
      const resumed = await store.resumeUpload(session.id)
      const unknown = await store.createUpload('b')
      await store.close()
      await expect(resumed?.append(1, source('y'))).rejects.toMatchObject({ code: 'ABORTED' })
      await expect(unknown.append(0, source('y'))).rejects.toMatchObject({ code: 'ABORTED' })
      await expect(store.resumeUpload(session.id)).rejects.toMatchObject({ code: 'ABORTED' })
    })

    it('are counted by recover, and removed by sweep if no client resumes them in time', async () => {
      const expireAfter = 1000
      const store = await open({ expireAfter })
      const session = await store.createUpload('a')
      const paused = Date.now()
      await session.pause()
      expect(await store.recover()).toMatchObject({ paused: 1, discarded: 0, busy: 0 })
      let swept = await store.sweep()
      while (swept.expired === 0) {
        expect(swept).toMatchObject({ paused: 1 })
        await new Promise((resolve) => setTimeout(resolve, 50))
        swept = await store.sweep()
      }
      expect(Date.now() - paused).toBeGreaterThanOrEqual(expireAfter)
      expect(swept).toMatchObject({ paused: 0, expired: 1 })
      expect(await store.resumeUpload(session.id)).toBeNull()
    })
  })

  describe(`${name}: sources`, () => {
    it('may use their memory again: digest and bytes are those of what they gave', async () => {
      const store = await open()
      const memory = Buffer.alloc(100_000)
      const reusing = async function* () {
        for (let value = 1; value <= 20; value++) yield memory.fill(value)
      }
      const object = await store.put('a', reusing())
      const expected = Buffer.concat(
        Array.from({ length: 20 }, (_, index) => Buffer.alloc(100_000, index + 1)),
      )
      expect(object.digest).toBe(sha256(expected))
      const stream = await (await store.get('a'))?.stream()
      expect((await bytesOf(stream ?? source())).equals(expected)).toBe(true)
    })

    it.each([1, 255, 256 * 1024, 256 * 1024 + 1, 3_000_000])(
      'may come in chunks of %i bytes',
      async (length) => {
        const store = await open()
        const chunks = Array.from({ length: 4 }, (_, index) => Buffer.alloc(length, index))
        const whole = Buffer.concat(chunks)
        expect(await store.put('a', source(...chunks, ''))).toMatchObject({
          size: whole.length,
          digest: sha256(whole),
        })
        const stream = await (await store.get('a'))?.stream()
        expect((await bytesOf(stream ?? source())).equals(whole)).toBe(true)
      },
    )
  })

  describe(`${name}: uploads that can be resumed`, () => {
    it('are listed by id while they are written, paused and resumed, until they are committed or removed', async () => {
      const store = await open()
      const listed = async () => {
        const known = await Promise.all((await store.listUploads()).map((id) => store.getUpload(id)))
        return known.flatMap((upload) => (upload?.committed === null ? [upload.id] : [])).sort()
      }
      const plain = await store.createUpload('plain')
      const kept = await store.createUpload('kept', { metadata: {} })
      const paused = await store.createUpload('paused')
      await paused.append(0, source('x'))
      await paused.pause()
      expect(await listed()).toEqual([kept.id, paused.id].sort())
      await kept.append(0, source('x'))
      await kept.commit()
      expect(await listed()).toEqual([paused.id])
      await store.deleteUpload(paused.id)
      expect(await listed()).toEqual([])
      await plain.abort()
    })

    it('expire earlier when they have no byte', async () => {
      const store = await open({ expireEmptyAfter: 0 })
      const empty = await store.createUpload('empty', { metadata: {} })
      await empty.pause()
      const begun = await store.createUpload('begun', { metadata: {} })
      await begun.append(0, source('x'))
      await begun.pause()
      expect((await store.interruptUpload(empty.id))?.expires).toBeLessThanOrEqual(Date.now())
      expect((await store.interruptUpload(begun.id))?.expires).toBeGreaterThan(Date.now() + 23 * 3_600_000)
      await store.recover()
      expect(await store.getUpload(empty.id)).toMatchObject({ key: 'empty' })
      expect((await store.sweep()).expired).toBe(1)
      expect(await store.getUpload(empty.id)).toBeNull()
      expect(await store.getUpload(begun.id)).toMatchObject({ key: 'begun' })
    })
  })

  describe(`${name}: room`, () => {
    it('is refused when all objects together reach the limit, and is there again after a deletion', async () => {
      const store = await open({ maxTotalSize: 10 })
      await store.put('a', source('12345'))
      await store.put('b', source('12345'))
      await expect(store.put('c', source('1'))).rejects.toMatchObject({ code: 'NO_SPACE' })
      await expect(store.checkSpace()).rejects.toMatchObject({ code: 'NO_SPACE' })
      await store.delete('a')
      await store.checkSpace(5)
      await expect(store.checkSpace(6)).rejects.toMatchObject({ code: 'NO_SPACE' })
      await expect(store.createUpload('c', { expectedSize: 6 })).rejects.toMatchObject({ code: 'NO_SPACE' })
      expect(await store.put('c', source('12345'), { expectedSize: 5 })).toMatchObject({ size: 5 })
    })

    it('is used by uploads that are paused, too', async () => {
      const store = await open({ maxTotalSize: 10 })
      const session = await store.createUpload('a')
      await session.append(0, source('12345678'))
      await session.pause()
      await expect(store.checkSpace(3)).rejects.toMatchObject({ code: 'NO_SPACE' })
      const resumed = await store.resumeUpload(session.id)
      await resumed?.append(8, source('90'))
      expect(await resumed?.commit()).toMatchObject({ size: 10 })
    })

    it('stops an upload of unknown size when the space is used up, and the upload resumes when there is space again', async () => {
      const store = await open({ maxTotalSize: 10 })
      await store.put('a', source('123456'))
      const session = await store.createUpload('b')
      await session.append(0, source('123'))
      expect(await session.pause()).toBe(3)
      const refused = await store.resumeUpload(session.id)
      const tooMuch = async () => {
        await refused?.append(3, source('45'))
        await refused?.commit()
      }
      await expect(tooMuch()).rejects.toMatchObject({ code: 'NO_SPACE' })
      await refused?.pause()
      await store.delete('a')
      const resumed = await store.resumeUpload(session.id)
      await resumed?.append(resumed.offset, source('45'))
      expect(await resumed?.commit()).toMatchObject({ size: 5 })
    })

    it('is checked again when an accepted upload is resumed', async () => {
      const store = await open({ maxTotalSize: 10 })
      const session = await store.createUpload('a', { expectedSize: 10 })
      await session.append(0, source('123'))
      await session.pause()
      await store.put('b', source('1234'))
      const resumed = await store.resumeUpload(session.id)
      const tooMuch = async () => {
        await resumed?.append(3, source('4567890'))
        await resumed?.commit()
      }
      await expect(tooMuch()).rejects.toMatchObject({ code: 'NO_SPACE' })
      await resumed?.pause()
    })
  })
}
