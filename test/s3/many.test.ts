import { createHash, randomUUID } from 'node:crypto'
import { beforeAll, expect, it } from 'vitest'
import { describeWith } from '../support/tools.ts'
import { bytesOf, source } from '../upload-store/contract.ts'
import { CEPH, Ceph } from './ceph.ts'
import { Objects } from './objects.ts'

/** S3 lists 1000 names at a time. */
const ALIVE = 1010
const DIGEST = createHash('sha256').update('x').digest('hex')
const TAG = createHash('md5').update('x').digest('hex')

/** Of a blob or an upload, in an order that is known. */
const id = (letter: string, number: number) => `${letter}${String(number).padStart(21, '0')}`
const keyOf = (number: number) => `key ${String(number).padStart(4, '0')}`
const upTo = (count: number) => Array.from({ length: count }, (_, number) => number)

function recordOf(number: number): string {
  const created = new Date().toISOString()
  const object = { key: keyOf(number), size: 1, type: 'video/mp4', digest: DIGEST, created }
  return JSON.stringify({ ...object, blob: id('m', number), blobTag: TAG })
}

/** What each of `tasks` does, 50 at a time. */
async function all(tasks: readonly (() => Promise<unknown>)[]): Promise<void> {
  const left = tasks.values()
  const work = async () => {
    for (const task of left) await task()
  }
  await Promise.all(upTo(50).map(work))
}

describeWith(CEPH, 'S3 store on Ceph: more objects than S3 lists at a time', () => {
  const ceph = new Ceph()
  const prefix = `${randomUUID()}/`
  let objects: Objects

  beforeAll(async () => {
    objects = new Objects(ceph.connection, prefix)
    const numbers = upTo(ALIVE)
    await all(numbers.map((number) => () => objects.write(`blobs/${id('m', number)}`, 'x')))
    await all(
      numbers.map(
        (number) => () =>
          objects.write(`records/key%20${number.toString().padStart(4, '0')}`, recordOf(number)),
      ),
    )
  }, 120_000)

  it.each([1000, 400])('list gives all of them, once, in pages of %i', async (limit) => {
    const store = ceph.open({ prefix })
    const keys: string[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await store.list({ limit, cursor })
      keys.push(...page.items.map(({ key }) => key))
      expect(page.items.length).toBeLessThanOrEqual(Math.min(limit, 1000))
      if (page.cursor === null) break
      cursor = page.cursor
    }
    expect(keys).toEqual(upTo(ALIVE).map(keyOf))
  })

  it('sweep removes leftovers behind them and among them, and nothing that is alive', async () => {
    const store = ceph.open({ prefix, orphanAge: 0 })
    const session = await store.createUpload('later', { metadata: {} })
    await session.append(0, source('half'))
    await session.pause()
    const before = new Set(await objects.names())
    const orphans = ['a', 'z'].flatMap((letter) => upTo(20).map((number) => `blobs/${id(letter, number)}`))
    // Before and behind the upload that is paused.
    const staged = ['-', '~'].flatMap((letter) =>
      upTo(505).map((number) => `staging/${id(letter, number)}.0.x`),
    )
    await all([...orphans, ...staged].map((name) => () => objects.write(name, 'orphan')))
    await all(upTo(1005).map((number) => () => objects.beginMultipart(`blobs/${id('p', number)}`)))
    expect(await store.sweep()).toMatchObject({
      blobs: 40,
      bytes: 240,
      discarded: 1010,
      paused: 1,
      damaged: 0,
    })
    expect(new Set(await objects.names())).toEqual(before)
    expect(await objects.multiparts()).toEqual([])
    expect(await store.resumeUpload(session.id)).toMatchObject({ offset: 4 })
    const last = await store.get(keyOf(ALIVE - 1))
    expect(String(await bytesOf((await last?.stream()) ?? source()))).toBe('x')
    expect(await store.sweep()).toMatchObject({ blobs: 0, discarded: 0 })
  }, 120_000)
})
