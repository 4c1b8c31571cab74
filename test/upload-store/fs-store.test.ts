import { execFile } from 'node:child_process'
import { readdir, readFile, stat, statfs, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createFsStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../support/temporary.ts'
import { bytesOf, describeContract, source } from './contract.ts'
import { filesIn } from './files.ts'

describeContract('file-system store', async (options) => createFsStore(await temporaryDirectory(), options))

describe('file-system store: on disk', () => {
  it('shows what another store on the same directory committed', async () => {
    const directory = await temporaryDirectory()
    await createFsStore(directory).put('a', source('hello'))
    const reopened = createFsStore(directory)
    expect(await reopened.get('a')).toMatchObject({ size: 5 })
    expect(String(await bytesOf((await (await reopened.get('a'))?.stream()) ?? source()))).toBe('hello')
  })

  it('keeps one inode for equal contents, and drops it with the last key', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    await store.put('a', source('same'))
    await store.put('b', source('same'))
    const blobs = (await filesIn(directory)).filter((name) => name.startsWith('blobs'))
    const inodes = await Promise.all(blobs.map(async (name) => (await stat(join(directory, name))).ino))
    expect(blobs).toHaveLength(2)
    expect(new Set(inodes).size).toBe(1)
    await store.delete('a')
    expect(String(await bytesOf((await (await store.get('b'))?.stream()) ?? source()))).toBe('same')
    await store.delete('b')
    expect(await filesIn(directory)).toEqual(['FORMAT'])
  })

  it('stores the upload itself when a shared blob has another size than it should', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    await store.put('a', source('same'))
    const shared = (await filesIn(directory)).find((name) => name.startsWith('digests')) ?? ''
    await truncate(join(directory, shared), 1)
    await store.put('b', source('same'))
    expect(String(await bytesOf((await (await store.get('b'))?.stream()) ?? source()))).toBe('same')
  })

  it('refuses to stream an object whose file has lost bytes', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    await store.put('a', source('hello'))
    const blob = (await filesIn(directory)).find((name) => name.startsWith('blobs')) ?? ''
    await truncate(join(directory, blob), 2)
    const content = await store.get('a')
    await expect(content?.stream()).rejects.toMatchObject({ code: 'CORRUPT' })
  })

  it('says CORRUPT for a damaged record instead of guessing', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    await store.put('a', source('hello'))
    const record = (await filesIn(directory)).find((name) => name.startsWith('records')) ?? ''
    const text = await readFile(join(directory, record), 'utf8')
    await writeFile(join(directory, record), text.replace(/"blob":"[^"]*"/, '"blob":"../../../etc/passwd"'))
    await expect(store.get('a')).rejects.toMatchObject({ code: 'CORRUPT' })
  })

  it("lists the rest beside a damaged record and strangers' files, and lets the key be replaced or deleted", async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    await store.put('a', source('a'))
    const damaged = (await filesIn(directory)).find((name) => name.startsWith('records')) ?? ''
    await store.put('b', source('b'))
    await writeFile(join(directory, 'records', '.DS_Store'), '')
    const damage = () => writeFile(join(directory, damaged), '{')
    await damage()
    expect((await store.list()).items.map(({ key }) => key)).toEqual(['b'])
    await expect(store.get('a')).rejects.toMatchObject({ code: 'CORRUPT' })
    expect(await store.put('a', source('anew'))).toMatchObject({ size: 4 })
    await damage()
    expect(await store.delete('a')).toBe(true)
    expect(await store.get('a')).toBeNull()
  })

  it('sees in every list what was committed before it, however many list at once', async () => {
    const store = createFsStore(await temporaryDirectory())
    const lists = Array.from({ length: 30 }, async (_, index) => {
      await store.put(`key ${index}`, source('x'))
      const pages = await Promise.all([store.list(), store.list({ prefix: `key ${index}`, limit: 1 })])
      return pages.map(({ items }) => items.some(({ key }) => key === `key ${index}`))
    })
    expect((await Promise.all(lists)).flat()).not.toContain(false)
  })

  it('leaves nothing of uploads that failed, were aborted, or lost a race', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory, { maxFileSize: 5 })
    await store.put('a', source('12345'))
    const before = await filesIn(directory)
    await expect(store.put('b', source('123456'))).rejects.toMatchObject({ code: 'TOO_LARGE' })
    await expect(store.put('a', source('other'), { ifNoneMatch: '*' })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    })
    const session = await store.createUpload('c')
    await session.append(0, source('123'))
    await session.abort()
    expect(await filesIn(directory)).toEqual(before)
  })

  it('tells who replaced or deleted an object between get and stream from a broken store', async () => {
    const store = createFsStore(await temporaryDirectory())
    await store.put('a', source('x'))
    const content = await store.get('a')
    await store.delete('a')
    await expect(content?.stream()).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('never makes a path of a name: no file name in the directory contains the key', async () => {
    const directory = await temporaryDirectory()
    await createFsStore(directory).put('secret-name.mp4', source('x'))
    expect((await filesIn(directory)).join('\n')).not.toContain('secret-name')
  })

  it('makes committed bytes read-only and its directories private', async () => {
    const directory = await temporaryDirectory()
    await createFsStore(directory).put('a', source('x'))
    const blob = (await filesIn(directory)).find((name) => name.startsWith('blobs')) ?? ''
    expect((await stat(join(directory, blob))).mode & 0o777).toBe(0o440)
    expect((await stat(join(directory, 'blobs'))).mode & 0o777).toBe(0o700)
  })

  it('refuses an upload that is larger than the disk before it begins, and sets nothing aside for it', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    const refusal = { code: 'NO_SPACE' }
    await expect(store.checkSpace(2 ** 60)).rejects.toMatchObject(refusal)
    await expect(store.createUpload('a', { expectedSize: 2 ** 60 })).rejects.toMatchObject(refusal)
    await store.checkSpace(1)
    expect(await readdir(join(directory, 'staging'))).toEqual([])
  })

  it('sets space aside for an upload until it ends, however it does', async () => {
    const directory = await temporaryDirectory()
    const { bavail, bsize } = await statfs(directory)
    const most = Math.floor((bavail * bsize) / 3)
    const store = createFsStore(directory)
    const first = await store.createUpload('a', { expectedSize: most })
    const second = await store.createUpload('b', { expectedSize: most })
    const third = await store.createUpload('c', { expectedSize: most }).catch((error) => error.code)
    expect(third).toBe('NO_SPACE')
    await first.abort()
    await second.commit()
    await (await store.createUpload('c', { expectedSize: most })).pause()
    await (await store.createUpload('d', { expectedSize: most })).abort()
  })

  it('stores without syncing anything if durability is off', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory, { durability: 'none' })
    await store.put('a', source('hello'))
    expect(String(await bytesOf((await (await store.get('a'))?.stream()) ?? source()))).toBe('hello')
  })

  it('refuses a directory with another version of the layout', async () => {
    const directory = await temporaryDirectory()
    createFsStore(directory)
    await writeFile(join(directory, 'FORMAT'), '{"layout":99}\n')
    expect(() => createFsStore(directory)).toThrow(/layout 99.*layout 1/)
  })

  it('lets exactly one of two processes create a key', async () => {
    const directory = await temporaryDirectory()
    const script = `
      import { createFsStore } from 'upload-store'
      import { Readable } from 'node:stream'
      const store = createFsStore(process.argv[1])
      let won = 0
      for (let i = 0; i < 100; i++) {
        const source = Readable.from([Buffer.from(process.argv[2] + i)])
        await store.put('key-' + i, source, { ifNoneMatch: '*' }).then(() => won++, (error) => {
          if (error.code !== 'PRECONDITION_FAILED') throw error
        })
      }
      console.log(won)`
    const run = (name: string) =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, directory, name], {
        cwd: import.meta.dirname,
      })
    const [first, second] = await Promise.all([run('first'), run('second')])
    expect(Number(first.stdout) + Number(second.stdout)).toBe(100)
    expect((await createFsStore(directory).list({ limit: 1000 })).items).toHaveLength(100)
  })
})
