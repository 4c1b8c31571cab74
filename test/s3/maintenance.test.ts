import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type S3StoreOptions, setUpBucket } from 'upload-store/s3'
import { describe, expect, it } from 'vitest'
import { describeWith } from '../support/tools.ts'
import { bytesOf, source } from '../upload-store/contract.ts'
import { CEPH, Ceph } from './ceph.ts'
import { Objects } from './objects.ts'

const MEBIBYTE = 1024 ** 2
const bytes = randomBytes(6 * MEBIBYTE)

describeWith(CEPH, 'S3 store on Ceph: maintenance', () => {
  const ceph = new Ceph()
  const open = (options: Partial<S3StoreOptions> = {}) => {
    const prefix = `${randomUUID()}/`
    const small = { prefix, partSize: 5 * MEBIBYTE }
    return {
      store: ceph.open({ ...small, ...options }),
      prefix,
      objects: new Objects(ceph.connection, prefix),
    }
  }

  describe('sweep', () => {
    it('removes blobs that no record names, and no others', async () => {
      const { store, objects } = open({ orphanAge: 0 })
      await store.put('a', source('hello'))
      await objects.write(`blobs/${'x'.repeat(22)}`, 'orphan')
      expect(await store.sweep()).toMatchObject({ blobs: 1, bytes: 6, damaged: 0 })
      expect(await store.sweep()).toMatchObject({ blobs: 0, bytes: 0 })
      expect(String(await bytesOf((await (await store.get('a'))?.stream()) ?? source()))).toBe('hello')
      expect(await objects.names()).toHaveLength(2)
    })

    it('leaves what is younger than the grace period', async () => {
      const { store, objects } = open()
      await objects.write(`blobs/${'x'.repeat(22)}`, 'orphan')
      const uploadId = await objects.beginMultipart('blobs/y')
      expect(await store.sweep()).toMatchObject({ blobs: 0, discarded: 0 })
      expect(await objects.names()).toHaveLength(1)
      expect(await objects.multiparts()).toHaveLength(1)
      await objects.abortMultipart('blobs/y', uploadId)
    })

    it('keeps the blobs that are older than a record of which nothing is legible', async () => {
      const { store, objects } = open({ orphanAge: 0 })
      await store.put('a', source('hello'))
      await objects.write(`blobs/${'x'.repeat(22)}`, 'orphan')
      await objects.write('records/a', '{')
      expect(await store.sweep()).toMatchObject({ blobs: 0, damaged: 1 })
      expect((await objects.names()).filter((name) => name.startsWith('blobs/'))).toHaveLength(2)
    })

    it('removes every orphan but the blob that a damaged record still names', async () => {
      const { store, objects } = open({ orphanAge: 0 })
      await store.put('a', source('hello'))
      await objects.write(`blobs/${'x'.repeat(22)}`, 'orphan')
      const text = await objects.read('records/a')
      await objects.write('records/a', text.slice(0, text.indexOf('"size"')))
      // As a console leaves it for the folder.
      await objects.write('records/', '')
      expect(await store.sweep()).toMatchObject({ blobs: 1, damaged: 1 })
      expect((await objects.names()).filter((name) => name.startsWith('blobs/'))).toHaveLength(1)
    })

    it('aborts multipart uploads of its own prefix that cannot be resumed, and keeps those that can', async () => {
      const { store, objects } = open({ orphanAge: 0 })
      const strangers = new Objects(ceph.connection, `${randomUUID()}/`)
      const uploadId = await strangers.beginMultipart('blobs/theirs')
      const session = await store.createUpload('a', { metadata: {} })
      await session.append(0, source(bytes))
      await session.pause()
      await objects.beginMultipart('blobs/nobodys')
      expect(await store.sweep()).toMatchObject({ paused: 1, discarded: 0 })
      expect(await objects.multiparts()).toHaveLength(1)
      expect(await strangers.multiparts()).toEqual(['blobs/theirs'])
      const resumed = await store.resumeUpload(session.id)
      expect(await resumed?.commit()).toMatchObject({ size: bytes.length })
      await strangers.abortMultipart('blobs/theirs', uploadId)
    })

    it('removes all of an upload that has expired: manifest, parts and the rest', async () => {
      const { store, objects } = open({ expireAfter: 100 })
      const session = await store.createUpload('a', { metadata: {} })
      await session.append(0, source(bytes))
      await session.pause()
      expect(await objects.names()).toHaveLength(2)
      await sleep(150)
      expect(await store.sweep()).toMatchObject({ expired: 1, paused: 0 })
      await expect.poll(() => objects.names()).toEqual([])
      await expect.poll(() => objects.multiparts()).toEqual([])
    })

    it('removes what a stale writer has left beside an upload, and manifests that are damaged', async () => {
      const { store, objects } = open({ orphanAge: 0 })
      const session = await store.createUpload('a', { metadata: {} })
      await session.append(0, source('kept'))
      await session.pause()
      await objects.write(`staging/${session.id}.4.${'x'.repeat(22)}`, 'stale')
      await objects.write(`staging/${'y'.repeat(22)}.json`, '{')
      expect(await store.sweep()).toMatchObject({ discarded: 2, paused: 1 })
      expect(await objects.names()).toHaveLength(2)
      expect(await store.resumeUpload(session.id)).toMatchObject({ offset: 4 })
    })
  })

  it('counts open and paused uploads apart in recover, and changes none', async () => {
    const { store } = open()
    const paused = await store.createUpload('a')
    await paused.pause()
    const writing = await store.createUpload('b', { metadata: {} })
    expect(await store.recover()).toEqual({ paused: 1, busy: 1, discarded: 0 })
    await writing.append(0, source('x'))
    expect(await writing.commit()).toMatchObject({ size: 1 })
  })

  it('verify takes away what is not what was committed, and sweep leaves its bytes to be looked at', async () => {
    const { store, objects } = open({ orphanAge: 0, recordMaxAge: 0 })
    await store.put('good', source('hello'))
    await store.put('empty', source())
    const before = new Set(await objects.names())
    await store.put('bad', source('world'))
    const blob = (await objects.names()).find((name) => name.startsWith('blobs/') && !before.has(name)) ?? ''
    await objects.write(blob, 'WORLD')
    await objects.write('records/damaged', '{')
    const { intact, quarantined } = await store.verify()
    expect(intact).toBe(2)
    expect(quarantined.map(({ key }) => key).toSorted()).toEqual(['bad', null])
    expect(await store.get('bad')).toBeNull()
    expect(await store.verify()).toMatchObject({ quarantined: [], inQuarantine: 2 })
    await store.sweep()
    expect(await objects.read(blob)).toBe('WORLD')
    expect(await objects.read(`quarantine/${blob.slice('blobs/'.length)}.json`)).toContain('"key":"bad"')
  })

  it('creates and replaces a key whose bytes are missing', async () => {
    const { store, objects } = open({ recordMaxAge: 0 })
    const removeBlobs = async () => {
      for (const name of await objects.names()) if (name.startsWith('blobs/')) await objects.remove(name)
    }
    const { etag } = await store.put('a', source('hello'))
    const again = store.put('a', source('hello'), { ifNoneMatch: '*' })
    await expect(again).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
    await removeBlobs()
    await store.put('a', source('hello'), { ifNoneMatch: '*' })
    expect(String(await bytesOf((await (await store.get('a'))?.stream()) ?? source()))).toBe('hello')
    await removeBlobs()
    await store.put('a', source('hello'), { ifMatch: etag })
    expect(String(await bytesOf((await (await store.get('a'))?.stream()) ?? source()))).toBe('hello')
  })

  it('accepts no more bytes than the total limit allows after the writes of other processes', async () => {
    const { store, prefix } = open()
    await store.put('a', source('12345'))
    const limited = ceph.open({ prefix, maxTotalSize: 6 })
    await expect(limited.checkSpace(2)).rejects.toMatchObject({ code: 'NO_SPACE' })
    const session = await limited.createUpload('b', { expectedSize: 1 })
    await expect(limited.createUpload('c', { expectedSize: 1 })).rejects.toMatchObject({ code: 'NO_SPACE' })
    await session.abort()
    await limited.createUpload('c', { expectedSize: 1 })
  })

  it('sets a bucket up twice, and leaves its other rules', async () => {
    const bucket = `rules-${randomUUID()}`
    const connection = { ...ceph.connection, bucket }
    await setUpBucket({ ...connection, prefix: 'one/' })
    await setUpBucket({ ...connection, prefix: 'two/', abortAfterDays: 3 })
    await setUpBucket({ ...connection, prefix: 'two/', abortAfterDays: 5 })
    expect(await new Objects(connection, '').abortRules()).toEqual({ 'one/blobs/': 7, 'two/blobs/': 5 })
  })

  describe('options that cannot be', () => {
    it.each([
      [{ partSize: 1024 }, /5242880/],
      [{ partMemory: 1024 }, /partMemory/],
      [{ prefix: 'x'.repeat(201) }, /prefix/],
    ])('%j', (options, message) => {
      expect(() => ceph.open(options)).toThrow(message)
    })
  })
})
