import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createFsStore, type UploadStore } from 'upload-store'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { temporaryDirectory } from '../support/temporary.ts'
import { source } from './contract.ts'

const NO_SPACE = { code: 'NO_SPACE' }

/** Lets time pass for `performance.now()` alone; timers and the file system keep their own. */
function clock(): { advance(ms: number): void } {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  return { advance: (ms) => void vi.advanceTimersByTime(ms) }
}

async function open(maxTotalSize: number, directory?: string): Promise<UploadStore> {
  const store = createFsStore(directory ?? (await temporaryDirectory()), { maxTotalSize })
  onTestFinished(() => store.close())
  return store
}

describe('space for announced bytes', () => {
  it('is available to other uploads after 10 seconds without a byte', async () => {
    const time = clock()
    const store = await open(10)
    const silent = await store.createUpload('silent', { expectedSize: 8 })
    await silent.append(0, source('x'))
    time.advance(9_000)
    await expect(store.createUpload('other', { expectedSize: 6 })).rejects.toMatchObject(NO_SPACE)
    time.advance(1_000)
    const other = await store.createUpload('other', { expectedSize: 6 })
    await other.append(0, source('123456'))
    expect(await other.commit()).toMatchObject({ size: 6 })
  })

  it('is reserved again when bytes arrive, so that the upload can end', async () => {
    const time = clock()
    const store = await open(10)
    const session = await store.createUpload('a', { expectedSize: 8 })
    time.advance(10_000)
    await store.checkSpace(10)
    await session.append(0, source('1'))
    await expect(store.checkSpace(3)).rejects.toMatchObject(NO_SPACE)
    await session.append(1, source('2345678'))
    expect(await session.commit()).toMatchObject({ size: 8 })
  })

  it('that other uploads use by then is NO_SPACE for the next bytes', async () => {
    const time = clock()
    const store = await open(10)
    const silent = await store.createUpload('silent', { expectedSize: 8 })
    time.advance(10_000)
    await store.put('other', source('123456'))
    await expect(silent.append(0, source('1'))).rejects.toMatchObject(NO_SPACE)
    await silent.abort()
    await store.checkSpace(4)
  })
})

describe('bytes of unfinished uploads under maxTotalSize', () => {
  it('of other processes are counted within a second, not by a look at every file for each upload', async () => {
    const time = clock()
    const directory = await temporaryDirectory()
    const store = await open(10, directory)
    await store.checkSpace(10)
    await writeFile(join(directory, 'staging', `${'a'.repeat(22)}.part`), '12345678')
    await store.checkSpace(10)
    time.advance(1000)
    // On a busy machine the scan may take longer than a caller waits for it. The next caller then has its result.
    await vi.waitFor(() => expect(store.checkSpace(3)).rejects.toMatchObject(NO_SPACE))
    await store.checkSpace(2)
  })

  it('of this process are counted at once, whether they arrive, stay or are removed', async () => {
    clock()
    const store = await open(10)
    const session = await store.createUpload('a')
    await session.append(0, source('1234'))
    await expect(store.checkSpace(7)).rejects.toMatchObject(NO_SPACE)
    await session.pause()
    await expect(store.checkSpace(7)).rejects.toMatchObject(NO_SPACE)
    await store.checkSpace(6)
    const resumed = await store.resumeUpload(session.id)
    await resumed?.append(4, source('56'))
    await expect(store.checkSpace(5)).rejects.toMatchObject(NO_SPACE)
    await resumed?.seal()
    await expect(store.checkSpace(5)).rejects.toMatchObject(NO_SPACE)
    await resumed?.commit()
    await expect(store.checkSpace(5)).rejects.toMatchObject(NO_SPACE)
    await store.checkSpace(4)
    const other = await store.createUpload('b', { metadata: {} })
    await other.append(0, source('1234'))
    await other.pause()
    await expect(store.checkSpace(1)).rejects.toMatchObject(NO_SPACE)
    await store.deleteUpload(other.id)
    await store.checkSpace(4)
  })

  it('that expired make room as soon as they are swept', async () => {
    clock()
    const directory = await temporaryDirectory()
    const store = createFsStore(directory, { maxTotalSize: 10, expireAfter: 0 })
    const session = await store.createUpload('a')
    await session.append(0, source('12345678'))
    await session.pause()
    await expect(store.checkSpace(3)).rejects.toMatchObject(NO_SPACE)
    await store.sweep()
    await store.checkSpace(10)
  })
})
