import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readlinkSync } from 'node:fs'
import { appendFile, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createFsStore, type UploadSession, type UploadStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../support/temporary.ts'

async function* chunk(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

/** Appends `bytes` as a request does: resumes the upload, and pauses it. */
async function append(store: UploadStore, id: string, offset: number, bytes: Buffer): Promise<number> {
  const session = await store.resumeUpload(id)
  expect(session?.offset).toBe(offset)
  await session?.append(offset, chunk(bytes))
  return (await session?.pause()) ?? -1
}

function openBelow(directory: string): readonly string[] {
  const paths = readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`)
    } catch {
      return ''
    }
  })
  return paths.filter((path) => path.startsWith(directory))
}

async function createPaused(store: UploadStore): Promise<UploadSession> {
  const session = await store.createUpload('a', { metadata: {} })
  await session.pause()
  return session
}

describe.skipIf(process.platform !== 'linux')('an upload that stays open between appends', () => {
  it('is not locked between them', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    const { id } = await createPaused(store)
    await append(store, id, 0, Buffer.from('one'))
    expect((await readdir(join(directory, 'staging'))).sort()).toEqual([`${id}.json`, `${id}.part`])
    await store.close()
  })

  it('has every byte in order when two processes append in turn', async () => {
    const directory = await temporaryDirectory()
    const stores = [createFsStore(directory), createFsStore(directory)] as const
    const { id } = await createPaused(stores[0])
    const content = randomBytes(40_000)
    for (let at = 0; at < content.length; at += 1000) {
      // Twice in one process, then twice in the other one.
      const store = stores[(at / 2000) & 1] ?? stores[0]
      expect(await append(store, id, at, content.subarray(at, at + 1000))).toBe(at + 1000)
    }
    const states = await Promise.all(stores.map((each) => each.interruptUpload(id)))
    expect(states).toMatchObject([{ offset: 40_000 }, { offset: 40_000 }])
    const session = await stores[0].resumeUpload(id)
    const { digest } = (await session?.commit()) ?? {}
    expect(digest).toBe(createHash('sha256').update(content).digest('hex'))
    expect(await stores[1].resumeUpload(id)).toBeNull()
    expect(await stores[1].getUpload(id)).toMatchObject({ committed: { digest } })
    for (const store of stores) await store.close()
  })

  it('is gone in each process as soon as one deletes it', async () => {
    const directory = await temporaryDirectory()
    const [one, other] = [createFsStore(directory), createFsStore(directory)]
    const { id } = await createPaused(one)
    await append(one, id, 0, Buffer.from('one'))
    expect(await other.deleteUpload(id)).toBe(true)
    expect([await one.getUpload(id), await one.interruptUpload(id), await one.resumeUpload(id)]).toEqual([
      null,
      null,
      null,
    ])
    await Promise.all([one.close(), other.close()])
  })

  it('has the metadata that another process has given it since', async () => {
    const directory = await temporaryDirectory()
    const [one, other] = [createFsStore(directory), createFsStore(directory)]
    const { id } = await createPaused(one)
    await append(one, id, 0, Buffer.from('one'))
    const session = await other.resumeUpload(id)
    await session?.setMetadata({ length: 5 })
    await session?.pause()
    expect(await one.getUpload(id)).toMatchObject({ metadata: { length: 5 } })
    expect(await one.interruptUpload(id)).toMatchObject({ metadata: { length: 5 }, offset: 3 })
    expect((await one.resumeUpload(id))?.metadata).toEqual({ length: 5 })
    await Promise.all([one.close(), other.close()])
  })

  it('is one of at most 64, and is closed with the store', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    for (let number = 0; number < 70; number++)
      await append(store, (await createPaused(store)).id, 0, Buffer.from('x'))
    const open = openBelow(directory)
    expect(open.length).toBeGreaterThan(0)
    expect(open.length).toBeLessThanOrEqual(2 * 64 + 2)
    await store.close()
    expect(openBelow(directory)).toEqual([])
  })

  it.each([
    ['a killed process has left a part of a line', '\n{"offs'],
    ['a power cut has left zeros in place of a line', '\0'.repeat(14)],
  ])('resumes at its last offset after %s in its manifest', async (_, rest) => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    const { id } = await createPaused(store)
    for (let at = 0; at < 3; at++) await append(store, id, at, Buffer.from('x'))
    await store.close()
    const manifest = join(directory, 'staging', `${id}.json`)
    await appendFile(manifest, rest)
    const restarted = createFsStore(directory)
    expect(await append(restarted, id, 3, Buffer.from('x'))).toBe(4)
    await restarted.close()
    const again = createFsStore(directory)
    expect(await again.interruptUpload(id)).toMatchObject({ offset: 4 })
    await again.close()
  })

  it('has a manifest that does not grow with each append beyond 16 KiB', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory, { durability: 'none' })
    const { id } = await createPaused(store)
    for (let at = 0; at < 1200; at++) await append(store, id, at, Buffer.from('x'))
    const text = await readFile(join(directory, 'staging', `${id}.json`), 'utf8')
    expect(text.length).toBeLessThanOrEqual(16 * 1024)
    expect(await createFsStore(directory).interruptUpload(id)).toMatchObject({ offset: 1200 })
    await store.close()
  })
})
