import { execFile } from 'node:child_process'
import { mkdir, open, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { type FileContent, fileContent } from 'koa-range-stream'
import { describe, expect, it } from 'vitest'
import { patterned, settle, settledFile, temporaryDirectory } from './files.ts'

async function bytesOf(content: FileContent | null, range?: { start: number; end: number }): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of (await content?.stream(range)) ?? []) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe('fileContent', () => {
  it('describes a regular file', async () => {
    const path = await settledFile(await temporaryDirectory(), 'clip.mp4', 'hello')
    await utimes(path, 1_700_000_000.25, 1_700_000_000.25)
    const content = await fileContent(path)
    expect(content).toMatchObject({ size: 5, name: 'clip.mp4', lastModified: 1_700_000_000_250 })
    expect(content).not.toHaveProperty('type')
  })

  it('streams all of it, and again', async () => {
    const path = await settledFile(await temporaryDirectory(), 'clip.mp4', patterned(200_000))
    const content = await fileContent(path)
    expect((await bytesOf(content)).equals(patterned(200_000))).toBe(true)
    expect((await bytesOf(content)).equals(await readFile(path))).toBe(true)
  })

  it('streams any range, both ends inclusive (property)', async () => {
    const bytes = patterned(200_000)
    const content = await fileContent(await settledFile(await temporaryDirectory(), 'clip.mp4', bytes))
    const edge = fc.oneof(
      fc.nat(199_999),
      fc.constantFrom(0, 65_535, 65_536, 65_537, 131_071, 131_072, 199_999),
    )
    await fc.assert(
      fc.asyncProperty(edge, edge, async (a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)]
        expect((await bytesOf(content, { start, end })).equals(bytes.subarray(start, end + 1))).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('streams a range behind 4 GiB', async () => {
    const path = await settledFile(await temporaryDirectory(), 'clip.mp4', '')
    const start = 5 * 2 ** 30
    const file = await open(path, 'r+')
    await file.write('hello', start)
    await file.close()
    const content = await fileContent(path)
    expect(content?.size).toBe(start + 5)
    expect((await bytesOf(content, { start: start + 1, end: start + 3 })).toString()).toBe('ell')
  })

  it('streams an empty file', async () => {
    const content = await fileContent(await settledFile(await temporaryDirectory(), 'clip.mp4', ''))
    expect([content?.size, (await bytesOf(content)).length]).toEqual([0, 0])
  })

  it.each([
    ['a missing file', (directory: string) => join(directory, 'missing')],
    ['a directory', (directory: string) => directory],
    ['a file taken for a directory', (directory: string) => join(directory, 'file', 'x')],
    ['a file with a slash behind', (directory: string) => `${directory}/file/`],
    ['a name with NUL', (directory: string) => `${directory}/file\0.mp4`],
    ['a name that is too long', (directory: string) => join(directory, 'x'.repeat(5000))],
    ['an empty name', () => ''],
    ['a device', () => '/dev/null'],
  ])('is null for %s', async (_what, pathIn) => {
    const directory = await temporaryDirectory()
    await writeFile(join(directory, 'file'), 'x')
    expect(await fileContent(pathIn(directory))).toBeNull()
  })

  it('is null for a FIFO, and does not wait for its writer', async () => {
    const path = join(await temporaryDirectory(), 'fifo')
    await promisify(execFile)('mkfifo', [path])
    expect(await fileContent(path)).toBeNull()
  })
})

describe('fileContent: etag', () => {
  it('is weak within 50 ms of a change, strong afterwards, and then another one', async () => {
    const path = join(await temporaryDirectory(), 'clip.mp4')
    let weak = ''
    const change = async () => {
      await writeFile(path, 'hello')
      weak = (await fileContent(path))?.etag ?? ''
      return weak
    }
    // On a busy machine more than 50 ms may pass between the change and the look.
    await expect.poll(change, { timeout: 10_000 }).toMatch(/^W\/"[^"]+"$/)
    await settle()
    const strong = (await fileContent(path))?.etag ?? ''
    expect(strong).toMatch(/^"[^"]+"$/)
    expect(weak.slice(2)).not.toBe(strong)
  })

  it('stays the same while nothing changes', async () => {
    const path = await settledFile(await temporaryDirectory(), 'clip.mp4', 'hello')
    expect((await fileContent(path))?.etag).toBe((await fileContent(path))?.etag)
  })

  it('judges by ctime, which programs cannot set: an old mtime makes no fresh change strong', async () => {
    const path = join(await temporaryDirectory(), 'clip.mp4')
    const changed = async () => {
      await writeFile(path, 'hello')
      await utimes(path, 1_700_000_000, 1_700_000_000)
      return (await fileContent(path))?.etag
    }
    await expect.poll(changed, { timeout: 10_000 }).toMatch(/^W\//)
    await settle()
    expect((await fileContent(path))?.etag).toMatch(/^"/)
  })

  it('tells contents of one size and one mtime apart', async () => {
    const path = await settledFile(await temporaryDirectory(), 'clip.mp4', 'hello')
    await utimes(path, 1_700_000_000, 1_700_000_000)
    await settle()
    const before = await fileContent(path)
    await writeFile(path, 'HELLO')
    await utimes(path, 1_700_000_000, 1_700_000_000)
    await settle()
    const after = await fileContent(path)
    expect(after?.lastModified).toBe(before?.lastModified)
    expect(after?.etag).not.toBe(before?.etag)
  })

  it("of 'size-mtime' is one for identical copies, strong at once, and follows size and mtime", async () => {
    const directory = await temporaryDirectory()
    const etagOf = async (name: string, text: string, mtime: number) => {
      const path = join(directory, name)
      await writeFile(path, text)
      await utimes(path, mtime, mtime)
      return (await fileContent(path, { etag: 'size-mtime' }))?.etag
    }
    const etag = await etagOf('a', 'hello', 1_700_000_000.1)
    expect(etag).toMatch(/^"[^"]+"$/)
    expect(await etagOf('b', 'hello', 1_700_000_000.9)).toBe(etag)
    expect(await etagOf('b', 'hello', 1_700_000_001)).not.toBe(etag)
    expect(await etagOf('b', 'hello!', 1_700_000_000)).not.toBe(etag)
  })

  it('is what the function makes of the stats, or none', async () => {
    const path = await settledFile(await temporaryDirectory(), 'clip.mp4', 'hello')
    const { ino } = await stat(path, { bigint: true })
    const own = await fileContent(path, { etag: (stats) => `"${stats.ino}-${stats.size}"` })
    expect(own?.etag).toBe(`"${ino}-5"`)
    expect((await fileContent(path, { etag: () => undefined }))?.etag).toBeUndefined()
  })
})

describe('fileContent: a file that changes after it was described', () => {
  it.each<[string, (path: string) => Promise<unknown>]>([
    ['is written anew with as many bytes', (path) => writeFile(path, 'HELLO')],
    ['is shortened', (path) => truncate(path, 2)],
    ['gets another mtime', (path) => utimes(path, 1, 1)],
    ['is replaced by another file', (path) => replace(path, (next) => writeFile(next, 'hello'))],
    ['is replaced by a directory', (path) => replace(path, (next) => mkdir(next))],
    ['is replaced by a FIFO', (path) => replace(path, (next) => promisify(execFile)('mkfifo', [next]))],
  ])('rejects with CONTENT_CHANGED when it %s', async (_what, change) => {
    const path = await settledFile(await temporaryDirectory(), 'clip.mp4', 'hello')
    const content = await fileContent(path)
    await change(path)
    await expect(content?.stream()).rejects.toMatchObject({ code: 'CONTENT_CHANGED' })
    await expect(content?.stream({ start: 0, end: 0 })).rejects.toMatchObject({ code: 'CONTENT_CHANGED' })
  })

  it('rejects with CONTENT_CHANGED when the file is rewritten with the same size and mtime', async () => {
    const path = await settledFile(await temporaryDirectory(), 'clip.mp4', 'hello')
    await utimes(path, 1_700_000_000, 1_700_000_000)
    await settle()
    const content = await fileContent(path)
    await writeFile(path, 'HELLO')
    await utimes(path, 1_700_000_000, 1_700_000_000)
    await expect(content?.stream()).rejects.toMatchObject({ code: 'CONTENT_CHANGED' })
  })

  it('rejects with CONTENT_CHANGED when it is gone', async () => {
    const path = await settledFile(await temporaryDirectory(), 'clip.mp4', 'hello')
    const content = await fileContent(path)
    await promisify(execFile)('rm', [path])
    await expect(content?.stream()).rejects.toMatchObject({ code: 'CONTENT_CHANGED' })
  })
})

async function replace(path: string, make: (path: string) => Promise<unknown>): Promise<void> {
  await make(`${path}.new`)
  await promisify(execFile)('rm', [path])
  await promisify(execFile)('mv', [`${path}.new`, path])
}
