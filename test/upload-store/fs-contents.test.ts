import { rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { createFsStore, type UploadStore } from 'upload-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { temporaryDirectory } from '../support/temporary.ts'

/** Longer than a record may have changed unseen, so that it is kept. */
const SETTLED = 80

/** Two stores of one directory, as two processes have them. */
async function twoStores(): Promise<readonly [UploadStore, UploadStore]> {
  const directory = await temporaryDirectory()
  const options = { accept: ['*/*'], durability: 'none' } as const
  const stores = [createFsStore(directory, options), createFsStore(directory, options)] as const
  onTestFinished(async () => {
    for (const store of stores) await store.close()
  })
  return stores
}

const put = (store: UploadStore, text: string) =>
  store.put('clip', Readable.from([Buffer.from(text)]), { type: 'text/plain' })

async function textOf(store: UploadStore): Promise<string | null> {
  const content = await store.get('clip')
  return content === null ? null : Buffer.concat(await (await content.stream()).toArray()).toString()
}

describe('what a key holds', () => {
  it('is the content of its record at that moment, even if a writer replaces or deletes it', async () => {
    const [reader, writer] = await twoStores()
    await put(writer, 'first')
    await delay(SETTLED)
    expect([await textOf(reader), await textOf(reader)]).toEqual(['first', 'first'])
    await put(writer, 'second')
    expect(await textOf(reader)).toBe('second')
    await put(writer, 'third')
    expect(await textOf(reader)).toBe('third')
    await delay(SETTLED)
    expect(await textOf(reader)).toBe('third')
    await writer.delete('clip')
    expect(await textOf(reader)).toBeNull()
    await put(writer, 'fourth')
    expect(await textOf(reader)).toBe('fourth')
  })

  it('is never older than the last of many quick puts', { timeout: 60_000 }, async () => {
    const [reader, writer] = await twoStores()
    for (let turn = 0; turn < 200; turn++) {
      await put(writer, `turn ${turn}`)
      expect(await textOf(reader)).toBe(`turn ${turn}`)
    }
  })

  it('names a file that has its bytes and no others', async () => {
    const [store] = await twoStores()
    await put(store, 'first')
    const first = (await store.get('clip'))?.immutableFile
    await put(store, 'second')
    const second = (await store.get('clip'))?.immutableFile
    expect(first).toBeTypeOf('string')
    expect(second).not.toBe(first)
  })

  it('is not found where its blob is gone', async () => {
    const [store] = await twoStores()
    await put(store, 'first')
    await delay(SETTLED)
    const content = await store.get('clip')
    await rm(content?.immutableFile ?? '')
    await expect((await store.get('clip'))?.stream()).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
