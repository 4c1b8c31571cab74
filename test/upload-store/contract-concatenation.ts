import { createHash, randomBytes } from 'node:crypto'
import type { StoreOptions, UploadPart, UploadStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { closingAfterwards } from './closing-afterwards.ts'
import { bytesOf, source } from './contract.ts'

const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex')

/** Stores a part in two requests, and returns it. */
export async function storePart(store: UploadStore, bytes: Uint8Array): Promise<UploadPart> {
  const half = Math.floor(bytes.length / 2)
  const session = await store.createUpload('part', { isPart: true, metadata: { part: true } })
  await session.append(0, source(bytes.subarray(0, half)))
  await session.pause()
  const resumed = await store.resumeUpload(session.id)
  await resumed?.append(half, source(bytes.subarray(half)))
  await resumed?.pause()
  return { id: session.id, size: bytes.length }
}

/** What every store promises of uploads that are put together from parts. */
export function describeConcatenation(
  name: string,
  openStore: (options?: StoreOptions) => Promise<UploadStore>,
): void {
  const open = closingAfterwards(openStore)
  describe(`${name}: uploads from parts`, () => {
    it('have the bytes of the parts in their order, and the id of the first part', async () => {
      const store = await open()
      // More than one block, and on S3 more than one part of a multipart upload.
      const contents = [6_000_000, 300_001, 0, 5_500_000].map((size) => randomBytes(size))
      const whole = Buffer.concat(contents)
      const parts = await Promise.all(contents.map((bytes) => storePart(store, bytes)))
      const options = { type: 'video/mp4', metadata: { whole: true }, digest: sha256(whole) }
      const session = await store.concatenateUploads(parts, 'a.mp4', options)
      expect(session).toMatchObject({
        id: parts[0]?.id,
        key: 'a.mp4',
        offset: whole.length,
        metadata: { whole: true },
      })
      const object = await session?.commit()
      expect(object).toMatchObject({ size: whole.length, type: 'video/mp4', digest: sha256(whole) })
      const content = await store.get('a.mp4')
      expect((await bytesOf((await content?.stream()) ?? source())).equals(whole)).toBe(true)
      for (const { id } of parts.slice(1)) expect(await store.deleteUpload(id)).toBe(true)
    })

    it('are checked as a whole: a part has neither a type nor a digest', async () => {
      const detectType = (head: Uint8Array) => (head[0] === 1 ? 'video/mp4' : 'text/plain')
      const store = await open({ accept: ['video/*'], detectType })
      const [first, second] = [1, 2].map((byte) => Buffer.alloc(5000, byte))
      const video = [
        await storePart(store, first ?? Buffer.of()),
        await storePart(store, second ?? Buffer.of()),
      ]
      const session = await store.concatenateUploads(video, 'a')
      expect(await session?.commit()).toMatchObject({ size: 10_000, type: 'video/mp4' })
      const text = await storePart(store, Buffer.alloc(5000, 2))
      await expect(store.concatenateUploads([text], 'b')).rejects.toMatchObject({ code: 'UNSUPPORTED_TYPE' })
    })

    it('cannot be committed part by part', async () => {
      const store = await open()
      const { id } = await storePart(store, Buffer.from('part'))
      const session = await store.resumeUpload(id)
      await expect(session?.commit()).rejects.toThrow('concatenateUploads')
      expect(await store.get('part')).toBeNull()
    })

    it('continue after a part was missing or incomplete', async () => {
      const store = await open()
      const first = await storePart(store, Buffer.from('one '))
      const second = await storePart(store, Buffer.from('two '))
      const third = await store.createUpload('part', { isPart: true, metadata: {} })
      await third.append(0, source('thr'))
      await third.pause()
      const parts = [first, second, { id: third.id, size: 5 }]
      const missing = [first, second, { id: 'a'.repeat(22), size: 5 }]
      for (const wrong of [missing, parts]) {
        await expect(store.concatenateUploads(wrong, 'a')).rejects.toMatchObject({ code: 'CORRUPT' })
      }
      const resumed = await store.resumeUpload(third.id)
      await resumed?.append(3, source('ee'))
      await resumed?.pause()
      const session = await store.concatenateUploads(parts, 'a')
      expect(await session?.commit()).toMatchObject({ digest: sha256(Buffer.from('one two three')) })
    })

    it('leave receipts of their parts, which say what the whole has become', async () => {
      const store = await open()
      const first = await storePart(store, Buffer.from('one '))
      const second = await storePart(store, Buffer.from('two'))
      expect(await store.leaveReceipt(second.id, first.id)).toBe(false)
      const session = await store.concatenateUploads([first, second], 'a', { metadata: { whole: true } })
      expect(await store.leaveReceipt(second.id, first.id)).toBe(false)
      const object = await session?.commit()
      expect(await store.leaveReceipt(second.id, first.id)).toBe(true)
      const receipt = { id: second.id, key: 'part', metadata: { part: true }, committed: object }
      expect(await store.getUpload(second.id)).toEqual(receipt)
      expect(await store.interruptUpload(second.id)).toMatchObject({ ...receipt, offset: 7 })
      expect(await store.resumeUpload(second.id)).toBeNull()
      expect(await store.leaveReceipt(second.id, first.id)).toBe(true)
      expect(await store.leaveReceipt('a'.repeat(22), first.id)).toBe(false)
      expect(await store.deleteUpload(second.id)).toBe(true)
      expect(await store.getUpload(second.id)).toBeNull()
    })

    it('are null if the first part does not exist', async () => {
      const store = await open()
      const second = await storePart(store, Buffer.from('two'))
      expect(await store.concatenateUploads([{ id: 'a'.repeat(22), size: 3 }, second], 'a')).toBeNull()
    })
  })
}
