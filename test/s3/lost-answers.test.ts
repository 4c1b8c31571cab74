import { randomUUID } from 'node:crypto'
import type { CommitOptions, UploadMetadata, UploadStore } from 'upload-store'
import type { S3StoreOptions } from 'upload-store/s3'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { describeWith } from '../support/tools.ts'
import { bytesOf, source } from '../upload-store/contract.ts'
import { CEPH, Ceph } from './ceph.ts'
import { LossyLine } from './lossy-line.ts'
import { Objects } from './objects.ts'

const COMMIT = /^PUT \S*\/records\//
const MANIFEST = /^PUT \S*\/staging\/[\w-]{22}\.json/

describeWith(CEPH, 'S3 store on Ceph: an answer that is lost', () => {
  const ceph = new Ceph()

  beforeEach(() => {
    // Bytes of what was replaced stay for a minute.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true })
    onTestFinished(() => void vi.useRealTimers())
  })

  /** A store behind a line that loses answers, and another process that has none such. */
  async function open(options: Partial<S3StoreOptions> = {}) {
    const prefix = `${randomUUID()}/`
    const line = await LossyLine.to(ceph.connection.endpoint)
    onTestFinished(() => line.close())
    const store = ceph.open({ prefix, endpoint: line.url, recordMaxAge: 0, ...options })
    const other = ceph.open({ prefix, recordMaxAge: 0 })
    return { line, store, other, objects: new Objects(ceph.connection, prefix) }
  }

  const read = async (store: UploadStore, key: string) =>
    String(await bytesOf((await (await store.get(key))?.stream()) ?? source()))

  /** A minute later there are the blobs that records name, all of them and no other. */
  async function expectNoLeftovers(objects: Objects): Promise<void> {
    await vi.advanceTimersByTimeAsync(61_000)
    const blobs = async () => (await objects.names()).filter((name) => name.startsWith('blobs/')).toSorted()
    const records = (await objects.names()).filter((name) => name.startsWith('records/'))
    const named = await Promise.all(records.map(async (name) => JSON.parse(await objects.read(name)).blob))
    await expect.poll(blobs).toEqual(named.map((blob) => `blobs/${blob}`).toSorted())
  }

  describe('to the commit of a new object', () => {
    it.each<[string, CommitOptions]>([
      ['whatever there is', {}],
      ['only where there is none', { ifNoneMatch: '*' }],
    ])('%s: it is committed', async (_, conditions) => {
      const { line, store, objects } = await open()
      line.lose('answer', COMMIT)
      expect(await store.put('a', source('ours'), conditions)).toMatchObject({ size: 4 })
      expect(await read(store, 'a')).toBe('ours')
      await expectNoLeftovers(objects)
    })
  })

  describe('to the commit over another object', () => {
    it.each(['request', 'answer', 'conflict'] as const)(
      '(%s): it is committed, and the bytes before go',
      async (loss) => {
        const { line, store, objects } = await open({ maxTotalSize: 8 })
        const { etag } = await store.put('a', source('old'))
        line.lose(loss, COMMIT)
        await store.put('a', source('ours'), { ifMatch: etag })
        expect(await read(store, 'a')).toBe('ours')
        // Those do not count any more.
        await store.checkSpace(4)
        await expectNoLeftovers(objects)
      },
    )
  })

  describe('to a commit, after which another writer', () => {
    it.each<[string, CommitOptions]>([
      ['whatever there is', {}],
      ['only where there is none', { ifNoneMatch: '*' }],
    ])('replaces the object: both are committed, in that order (%s)', async (_, conditions) => {
      const { line, store, other, objects } = await open()
      line.lose('answer', COMMIT, () => other.put('a', source('theirs')))
      expect(await store.put('a', source('ours'), conditions)).toMatchObject({ size: 4 })
      expect(await read(other, 'a')).toBe('theirs')
      await expectNoLeftovers(objects)
      expect(await read(other, 'a')).toBe('theirs')
    })

    it('replaces the object that was over another one: the same', async () => {
      const { line, store, other, objects } = await open()
      const { etag } = await store.put('a', source('old'))
      line.lose('answer', COMMIT, () => other.put('a', source('theirs')))
      expect(await store.put('a', source('ours'), { ifMatch: etag })).toMatchObject({ size: 4 })
      expect(await read(other, 'a')).toBe('theirs')
      await expectNoLeftovers(objects)
    })

    it.each([1, 2])(
      'deletes the object, and puts another one %i times: the last object can be read',
      async (times) => {
        const { line, store, other, objects } = await open()
        line.lose('answer', COMMIT, async () => {
          await other.delete('a')
          for (let turn = 1; turn < times; turn++) await other.put('a', source('theirs'))
        })
        expect(await store.put('a', source('ours'))).toMatchObject({ size: 4 })
        await expectNoLeftovers(objects)
        expect(await read(other, 'a')).toBe('ours')
      },
    )
  })

  it('to a commit over an object that another writer has deleted since: the object stays deleted, and nothing is left', async () => {
    const { line, store, other, objects } = await open()
    const { etag } = await store.put('a', source('old'))
    line.lose('answer', COMMIT, () => other.delete('a'))
    const put = store.put('a', source('ours'), { ifMatch: etag })
    await expect(put).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
    await expectNoLeftovers(objects)
  })

  describe('a commit of which the store has never heard', () => {
    it('is refused if another writer was first, and leaves nothing', async () => {
      const { line, store, other, objects } = await open()
      line.lose('request', COMMIT, () => other.put('a', source('theirs')))
      const put = store.put('a', source('ours'), { ifNoneMatch: '*' })
      await expect(put).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
      expect(await read(store, 'a')).toBe('theirs')
      await expectNoLeftovers(objects)
    })
  })

  describe('every answer to a commit, until the deadline', () => {
    async function commitInVain({ metadata, before }: { metadata?: UploadMetadata; before?: string } = {}) {
      const all = await open({ transferTimeout: 1000 })
      if (before !== undefined) await all.store.put('a', source(before))
      const session = await all.store.createUpload('a', { metadata })
      await session.append(0, source('ours'))
      all.line.lose('answer', COMMIT, undefined, Number.POSITIVE_INFINITY)
      const ifMatch = (await all.store.get('a'))?.etag
      await expect(session.commit({ ifMatch })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      all.line.mend()
      return { ...all, session }
    }

    it('it is committed when it is tried again', async () => {
      const { session, objects, store } = await commitInVain()
      expect(await session.commit()).toMatchObject({ size: 4 })
      expect(await read(store, 'a')).toBe('ours')
      await expectNoLeftovers(objects)
    })

    it('its bytes stay without a retry, and the previous bytes are removed', async () => {
      const { session, objects, other } = await commitInVain({ before: 'old' })
      await session.abort()
      await expectNoLeftovers(objects)
      expect(await read(other, 'a')).toBe('ours')
    })

    it.each([
      ['replaced', (other: UploadStore) => other.put('a', source('theirs')), 'theirs'],
      ['deleted', (other: UploadStore) => other.delete('a'), ''],
    ])(
      'it was committed where somebody else has %s it since, and is not once more',
      async (_, change, left) => {
        const { session, objects, other } = await commitInVain()
        await change(other)
        await expectNoLeftovers(objects)
        expect(await session.commit()).toMatchObject({ size: 4 })
        expect(await read(other, 'a')).toBe(left)
        await expectNoLeftovers(objects)
      },
    )

    it('other processes find out that it is committed', async () => {
      const { session, other } = await commitInVain({ metadata: {} })
      expect(await other.interruptUpload(session.id)).toMatchObject({ committed: { key: 'a', size: 4 } })
    })

    it('and that it was, if another writer has replaced it', async () => {
      const { session, other, objects } = await commitInVain({ metadata: {} })
      await other.put('a', source('theirs'))
      expect(await other.interruptUpload(session.id)).toMatchObject({ committed: { key: 'a', size: 4 } })
      await expectNoLeftovers(objects)
    })
  })

  it.each(['request', 'answer', 'conflict'] as const)(
    'to the status of an upload (%s): the upload continues',
    async (loss) => {
      const { line, store, other, objects } = await open()
      line.lose(loss, MANIFEST)
      const session = await store.createUpload('a', { metadata: {} })
      await session.append(0, source('ou'))
      line.lose(loss, MANIFEST)
      await session.pause()
      expect(await other.interruptUpload(session.id)).toMatchObject({ offset: 2 })
      const resumed = await store.resumeUpload(session.id)
      await resumed?.append(2, source('rs'))
      line.lose(loss, MANIFEST)
      await resumed?.commit()
      expect(await other.interruptUpload(session.id)).toMatchObject({ committed: { size: 4 } })
      expect(await read(other, 'a')).toBe('ours')
      await expectNoLeftovers(objects)
    },
  )

  it('a DELETE with a condition, refused as AWS does if another writer was first: it then applies to the object of that writer', async () => {
    const { line, store, other } = await open()
    const { etag } = await store.put('a', source('old'))
    const replace = () => other.put('a', source('theirs'))
    line.lose('condition', /^DELETE \S*\/records\//, replace)
    await expect(store.delete('a', { ifMatch: etag })).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
    expect(await read(other, 'a')).toBe('theirs')
    line.lose('condition', /^DELETE \S*\/records\//, replace)
    expect(await store.delete('a', { ifMatch: '*' })).toBe(true)
    expect(await other.get('a')).toBeNull()
  })
})
