import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createFsStore, type UploadStore } from 'upload-store'
import { describe, expect, it, vi } from 'vitest'
import { temporaryDirectory } from '../support/temporary.ts'
import { source } from './contract.ts'

/** Two stores on one directory, as two processes have them. */
async function openTwo(): Promise<readonly [UploadStore, UploadStore, string]> {
  const directory = await temporaryDirectory()
  return [createFsStore(directory), createFsStore(directory), directory]
}

/** The revision once it no longer changes by itself, because changes that were just made have become old enough. */
async function settledRevision(store: UploadStore): Promise<string | null> {
  let revision = await store.listRevision()
  await vi.waitFor(async () => {
    const before = revision
    revision = await store.listRevision()
    expect(revision).toBe(before)
  })
  return revision
}

const sizesOf = async (store: UploadStore) => (await store.list()).items.map(({ key, size }) => [key, size])

describe('the list of a store on disk', () => {
  it('has each change that another process has made, at once', async () => {
    const [one, other] = await openTwo()
    for (let size = 1; size <= 20; size++) {
      await one.put('a', source('x'.repeat(size)))
      expect(await sizesOf(other)).toEqual([['a', size]])
    }
    await one.delete('a')
    expect(await sizesOf(other)).toEqual([])
    await one.put('a', source('again'))
    expect(await sizesOf(other)).toEqual([['a', 5]])
    await Promise.all([one.close(), other.close()])
  })

  it.each<[string, (store: UploadStore) => Promise<unknown>]>([
    ['stores an object', (store) => store.put('b', source('b'))],
    ['replaces an object', (store) => store.put('a', source('b'))],
    ['stores the same content again', (store) => store.put('a', source('a'))],
    ['deletes an object', (store) => store.delete('a')],
  ])('gets another revision when another process %s', async (_, change) => {
    const [one, other] = await openTwo()
    await one.put('a', source('a'))
    const before = await settledRevision(other)
    await change(one)
    expect(await other.listRevision()).not.toBe(before)
    await Promise.all([one.close(), other.close()])
  })

  it('notices a record that was removed by a program that touches no marker', async () => {
    const [one, other, directory] = await openTwo()
    await one.put('a', source('a'))
    await settledRevision(other)
    const name = createHash('sha256').update('a').digest('hex')
    await rm(join(directory, 'records', name.slice(0, 2), `${name}.json`))
    await vi.waitFor(async () => expect(await sizesOf(other)).toEqual([]), 5000)
    await Promise.all([one.close(), other.close()])
  })

  it('keeps its revision while uploads are received and objects are read', async () => {
    const [one, other] = await openTwo()
    await one.put('a', source('a'))
    const before = await settledRevision(other)
    const session = await one.createUpload('b', { metadata: {} })
    await session.append(0, source('b'))
    await session.pause()
    await other.get('a')
    await other.list()
    expect(await other.listRevision()).toBe(before)
    await Promise.all([one.close(), other.close()])
  })
})
