import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFile,
  chmod,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createFsStore, type StoredObject, type UploadStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../support/temporary.ts'
import { bytesOf, source } from './contract.ts'
import { filesIn } from './files.ts'

const CONTENT = randomBytes(10_000)

/** Without syncs, which take most of the time and do nothing for these tests. */
const openStore = (directory: string) => createFsStore(directory, { durability: 'none' })

interface Damaged {
  readonly directory: string
  readonly store: UploadStore
  /** The path of the damaged blob. */
  readonly blob: string
  /** The path of its digest link. */
  readonly digest: string
}

/** A store with the object `a`, whose blob is then damaged. */
async function damaged(damage: (blob: string, digest: string) => Promise<unknown>): Promise<Damaged> {
  const directory = await temporaryDirectory()
  const store = openStore(directory)
  await store.put('a', source(CONTENT))
  const files = await filesIn(directory)
  const [blob = '', digest = ''] = ['blobs/', 'digests/'].map((folder) =>
    join(directory, files.find((name) => name.startsWith(folder)) ?? ''),
  )
  await chmod(blob, 0o640)
  await damage(blob, digest)
  return { directory, store, blob, digest }
}

/** Changes 4 bytes in the middle; the length stays. */
async function flip(path: string): Promise<void> {
  const file = await open(path, 'r+')
  await file.write(Buffer.from(CONTENT.subarray(5000, 5004).map((byte) => byte ^ 0xff)), 0, 4, 5000)
  await file.close()
}

async function makeFifo(path: string): Promise<void> {
  await rm(path)
  await promisify(execFile)('mkfifo', [path])
}

const BLOB_DAMAGE: Readonly<Record<string, (blob: string, digest: string) => Promise<unknown>>> = {
  'has 4 other bytes': flip,
  'is truncated': (blob) => truncate(blob, 1000),
  'is empty': (blob) => truncate(blob, 0),
  'is longer': (blob) => appendFile(blob, 'x'),
  'is missing': unlink,
  'is missing with its digest link': (blob, digest) => Promise.all([unlink(blob), unlink(digest)]),
  'is a directory': (blob) => unlink(blob).then(() => mkdir(blob)),
  'is a FIFO': makeFifo,
  'is a symbolic link': (blob) => unlink(blob).then(() => symlink('/dev/null', blob)),
}

const UPLOADS: Readonly<Record<string, (store: UploadStore, key: string) => Promise<StoredObject>>> = {
  put: (store, key) => store.put(key, source(CONTENT)),
  'put with ifMatch': async (store, key) => {
    const ifMatch = (await store.get(key))?.etag
    return store.put(key, source(CONTENT), ifMatch === undefined ? {} : { ifMatch })
  },
  'a resumed session': async (store, key) => {
    const { id } = await sent(store, key, CONTENT.subarray(0, 1000))
    const session = await store.resumeUpload(id)
    if (session === null) throw new Error('The session is gone.')
    await session.append(1000, source(CONTENT.subarray(1000)))
    return session.commit()
  },
}

/** A paused upload with these bytes. */
async function sent(store: UploadStore, key: string, bytes: Uint8Array) {
  const session = await store.createUpload(key, { metadata: { way: 'test' } })
  await session.append(0, source(bytes))
  await session.pause()
  return session
}

async function read(store: UploadStore, key: string): Promise<Buffer> {
  const content = await store.get(key)
  if (content === null) throw new Error(`There is no ${key}.`)
  const { immutableFile = '' } = content
  const bytes = await bytesOf(await content.stream())
  // Servers read the file itself.
  expect((await readFile(immutableFile)).equals(bytes)).toBe(true)
  return bytes
}

describe.each(Object.entries(BLOB_DAMAGE))('when the blob of an object %s', (_, damage) => {
  it.each(Object.entries(UPLOADS))(
    'its key has the right bytes after %s of the same content',
    async (_way, upload) => {
      const { store, blob } = await damaged(damage)
      const object = await upload(store, 'a')
      expect((await read(store, 'a')).equals(CONTENT)).toBe(true)
      expect((await store.get('a'))?.immutableFile).not.toBe(blob)
      expect(await store.get('a')).toMatchObject({ etag: object.etag, lastModified: object.lastModified })
      expect(await store.verify()).toMatchObject({ intact: 1, repaired: [], quarantined: [] })
    },
  )

  it('another key has the right bytes, and the damaged key is corrected or found by verify', async () => {
    const { store } = await damaged(damage)
    await store.put('b', source(CONTENT))
    expect((await read(store, 'b')).equals(CONTENT)).toBe(true)
    await store.verify()
    const left = await store.get('a')
    if (left !== null) expect((await read(store, 'a')).equals(CONTENT)).toBe(true)
    expect((await read(store, 'b')).equals(CONTENT)).toBe(true)
    expect(await store.verify()).toMatchObject({ repaired: [], quarantined: [] })
  })

  it('its key can be deleted', async () => {
    const { store, directory } = await damaged(damage)
    expect(await store.delete('a')).toBe(true)
    expect(await store.get('a')).toBeNull()
    expect((await filesIn(directory)).filter((name) => name.startsWith('records/'))).toEqual([])
  })
})

describe('damage that several keys share', () => {
  it('is corrected for every key by one upload of the content, each under a new path', async () => {
    const directory = await temporaryDirectory()
    const store = openStore(directory)
    const keys = ['a', 'b', 'c']
    for (const key of keys) await store.put(key, source(CONTENT))
    await store.put('other', source('other'))
    const before = await Promise.all(keys.map((key) => store.get(key)))
    const blob = before[0]?.immutableFile ?? ''
    await chmod(blob, 0o640)
    await flip(blob)
    await store.put('d', source(CONTENT))
    const inodes = new Set<number>()
    for (const [index, key] of keys.entries()) {
      const { lastModified, etag, immutableFile } = (await store.get(key)) ?? {}
      expect({ lastModified, etag }).toEqual({
        lastModified: before[index]?.lastModified,
        etag: before[index]?.etag,
      })
      expect(immutableFile).not.toBe(before[index]?.immutableFile)
      expect((await read(store, key)).equals(CONTENT)).toBe(true)
      inodes.add((await stat(immutableFile ?? '')).ino)
    }
    expect(inodes.size).toBe(1)
    expect(await store.verify()).toMatchObject({ intact: 5, repaired: [], quarantined: [] })
    expect(await store.sweep()).toMatchObject({ blobs: keys.length, digests: 0 })
    const blobs = (await filesIn(directory)).filter((name) => name.startsWith('blobs/'))
    expect(blobs).toHaveLength(5)
  })

  it('is seen corrected by another process that has read the damaged object before', async () => {
    const { directory, store } = await damaged(flip)
    const other = openStore(directory)
    expect((await read(other, 'a')).equals(CONTENT)).toBe(false)
    await store.put('b', source(CONTENT))
    expect((await read(other, 'a')).equals(CONTENT)).toBe(true)
  })

  it('is repaired by verify when good bytes of the content are stored under its digest', async () => {
    const { store, blob, digest } = await damaged(flip)
    // As a process leaves it that is killed after its own key has the right bytes.
    const good = `${digest}.good`
    await writeFile(good, CONTENT)
    await rename(good, digest)
    const before = await store.get('a')
    expect(await store.verify()).toMatchObject({
      intact: 0,
      repaired: [{ key: 'a', reason: expect.stringContaining('sha-256') }],
      quarantined: [],
    })
    expect((await read(store, 'a')).equals(CONTENT)).toBe(true)
    const { etag, lastModified, immutableFile } = (await store.get('a')) ?? {}
    expect({ etag, lastModified }).toEqual({ etag: before?.etag, lastModified: before?.lastModified })
    expect(immutableFile).not.toBe(blob)
    expect(await store.verify()).toMatchObject({ intact: 1, repaired: [], quarantined: [] })
  })

  it('is corrected while other uploads of the content, deletions and verify run at the same time', async () => {
    const { directory, store } = await damaged(flip)
    const other = openStore(directory)
    const stores = [store, other]
    const uploads = Array.from({ length: 12 }, (_, index) =>
      stores[index % 2]?.put(`key ${index % 6}`, source(CONTENT)),
    )
    await Promise.all([...uploads, other.delete('a'), store.verify(), other.verify()])
    for (let index = 0; index < 6; index++)
      expect((await read(other, `key ${index}`)).equals(CONTENT)).toBe(true)
    expect(await store.verify()).toMatchObject({ intact: 6, repaired: [], quarantined: [] })
  })
})

describe('stored bytes that differ from an upload with the same digest', () => {
  it.each([0, 131_071, 131_072, 299_999])(
    'are found by any byte, such as the one at %d',
    async (position) => {
      const store = openStore(await temporaryDirectory())
      const content = randomBytes(300_000)
      await store.put('a', source(content))
      const blob = (await store.get('a'))?.immutableFile ?? ''
      await chmod(blob, 0o640)
      const file = await open(blob, 'r+')
      await file.write(Buffer.of((content.at(position) ?? 0) ^ 1), 0, 1, position)
      await file.close()
      await store.put('a', source(content))
      expect((await read(store, 'a')).equals(content)).toBe(true)
    },
  )
})

describe('an upload whose own file is damaged before its commit', () => {
  it('uses the stored bytes of its digest, which are right', async () => {
    const directory = await temporaryDirectory()
    const store = openStore(directory)
    await store.put('a', source(CONTENT))
    const session = await store.createUpload('b')
    await session.append(0, source(CONTENT))
    await session.seal()
    const [name = ''] = await readdir(join(directory, 'staging'))
    const part = join(directory, 'staging', name)
    await chmod(part, 0o640)
    await flip(part)
    await session.commit()
    for (const key of ['a', 'b']) expect((await read(store, key)).equals(CONTENT)).toBe(true)
    expect(await store.verify()).toMatchObject({ intact: 2, repaired: [], quarantined: [] })
  })
})

describe('a digest link', () => {
  const replace: Readonly<Record<string, (digest: string) => Promise<unknown>>> = {
    'has other bytes': (digest) => rm(digest).then(() => writeFile(digest, randomBytes(CONTENT.length))),
    'is truncated': (digest) => rm(digest).then(() => writeFile(digest, CONTENT.subarray(1))),
    'is a directory': (digest) => rm(digest).then(() => mkdir(join(digest, 'x'), { recursive: true })),
    'is a FIFO': makeFifo,
    'is a dangling symbolic link': (digest) => rm(digest).then(() => symlink('nowhere', digest)),
    'is a symbolic link to other bytes': (digest) => rm(digest).then(() => symlink('/etc/passwd', digest)),
    'is missing': unlink,
  }

  it.each(Object.entries(replace))('that %s harms no upload of its content', async (_, damage) => {
    const { directory, store } = await damaged((_blob, digest) => damage(digest))
    for (const key of ['b', 'c']) {
      await store.put(key, source(CONTENT))
      expect((await read(store, key)).equals(CONTENT)).toBe(true)
    }
    expect((await read(store, 'a')).equals(CONTENT)).toBe(true)
    expect(await store.verify()).toMatchObject({ intact: 3, repaired: [], quarantined: [] })
    for (const key of ['a', 'b', 'c']) expect(await store.delete(key)).toBe(true)
    await store.sweep()
    expect((await filesIn(directory)).filter((name) => name.startsWith('blobs/'))).toEqual([])
  })

  it('that was damaged is replaced, so that later uploads share their bytes again', async () => {
    const { store } = await damaged(flip)
    for (const key of ['b', 'c', 'd']) await store.put(key, source(CONTENT))
    const contents = await Promise.all(['a', 'b', 'c', 'd'].map(async (key) => await store.get(key)))
    const inodes = await Promise.all(
      contents.map(async (content) => (await stat(content?.immutableFile ?? '')).ino),
    )
    expect(new Set(inodes).size).toBe(1)
  })
})

describe('an object whose bytes are lost', () => {
  it.each(['is missing', 'is truncated', 'is a directory'])(
    'does not exist for ifNoneMatch when its blob %s, and ifMatch can replace it',
    async (name) => {
      const { store } = await damaged((blob, digest) => BLOB_DAMAGE[name]?.(blob, digest) ?? Promise.reject())
      const { etag } = await store.put('a', source('created again'), { ifNoneMatch: '*' })
      expect(String(await read(store, 'a'))).toBe('created again')
      const again = store.put('a', source('x'), { ifNoneMatch: '*' })
      await expect(again).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
      await unlink((await store.get('a'))?.immutableFile ?? '')
      await store.put('a', source('replaced'), { ifMatch: etag })
      expect(String(await read(store, 'a'))).toBe('replaced')
    },
  )

  it('has no receipt, so that its client sends it again', async () => {
    const directory = await temporaryDirectory()
    const store = openStore(directory)
    const { id } = await sent(store, 'a', CONTENT)
    await (await store.resumeUpload(id))?.commit()
    expect(await store.interruptUpload(id)).toMatchObject({ committed: { key: 'a' } })
    const blob = (await store.get('a'))?.immutableFile ?? ''
    await chmod(blob, 0o640)
    await truncate(blob, 10)
    expect(await store.getUpload(id)).toMatchObject({ committed: null })
    expect(await store.interruptUpload(id)).toBeNull()
    expect(await store.resumeUpload(id)).toBeNull()
  })

  it('keeps its receipt when it was replaced or deleted', async () => {
    const store = openStore(await temporaryDirectory())
    const { id } = await sent(store, 'a', CONTENT)
    await (await store.resumeUpload(id))?.commit()
    await store.put('a', source('replaced'))
    expect(await store.interruptUpload(id)).toMatchObject({ committed: { size: CONTENT.length } })
    await store.delete('a')
    expect(await store.interruptUpload(id)).toMatchObject({ committed: { size: CONTENT.length } })
  })
})

describe('an object that is stored again with the same content', () => {
  it('keeps the date that the caller names, and has the present one otherwise', async () => {
    const store = openStore(await temporaryDirectory())
    const { lastModified, etag } = await store.put('a', source('x'), { lastModified: 1_000_000_000_000 })
    expect(lastModified).toBe(1_000_000_000_000)
    expect(await store.put('a', source('x'), { ifMatch: etag, lastModified })).toMatchObject({ lastModified })
    expect(await store.get('a')).toMatchObject({ lastModified })
    const before = Date.now()
    expect((await store.put('a', source('x'))).lastModified).toBeGreaterThanOrEqual(before)
    await expect(store.put('a', source('x'), { lastModified: Number.NaN })).rejects.toThrow(RangeError)
  })
})
