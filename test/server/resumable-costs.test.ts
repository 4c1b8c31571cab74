import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formWith } from '../support/app.ts'
import { append, begin, locationOf, startServer } from '../support/resumable.ts'
import type { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const MEBIBYTE = 1024 ** 2

type Bytes = Uint8Array<ArrayBuffer>

async function sendForm(url: string, name: string, content: Bytes): Promise<Response> {
  return fetch(`${url}/video`, { method: 'POST', body: formWith('file', name, content) })
}

async function sendPut(url: string, name: string, content: Bytes): Promise<Response> {
  return fetch(`${url}/videos/${name}`, { method: 'PUT', body: content })
}

/** The rest, in two requests. */
async function goOn(url: string, location: string, content: Bytes, offset: number): Promise<Response> {
  const half = offset + Math.floor((content.length - offset) / 2)
  expect((await append(url, location, offset, content.subarray(offset, half), false)).status).toBe(204)
  return append(url, location, half, content.subarray(half), true)
}

async function sendParts(url: string, method: string, path: string, content: Bytes): Promise<Response> {
  const offset = 100_001
  const name = { 'Content-Disposition': 'attachment; filename="posted.bin"' }
  const begun = await begin(url, method, path, content.subarray(0, offset), name)
  return goOn(url, locationOf(begun), content, offset)
}

/** How a content may come in. */
const WAYS: Readonly<Record<string, (url: string, content: Bytes) => Promise<Response>>> = {
  'a form': (url, content) => sendForm(url, 'form.bin', content),
  PUT: (url, content) => sendPut(url, 'put.bin', content),
  'POST in parts': (url, content) => sendParts(url, 'POST', '/video', content),
  'PUT in parts': (url, content) => sendParts(url, 'PUT', '/videos/parts.bin', content),
}

describe('one content that comes by a form, by PUT, and in parts', () => {
  it('has one digest, and lies on the disk once', async () => {
    const data = await temporaryDirectory()
    const { url } = await startServer(data)
    const content = randomBytes(300_000)
    const objects: { key: string; digest: string }[] = []
    for (const send of Object.values(WAYS)) objects.push(await (await send(url, content)).json())
    expect(objects.map(({ key }) => key)).toEqual(['form.bin', 'put.bin', 'posted.bin', 'parts.bin'])
    expect(new Set(objects.map(({ digest }) => digest)).size).toBe(1)
    const names = await readdir(join(data, 'blobs'), { recursive: true })
    const blobs = (await Promise.all(names.map((name) => stat(join(data, 'blobs', name))))).filter((blob) =>
      blob.isFile(),
    )
    expect(blobs).toHaveLength(objects.length)
    expect(new Set(blobs.map(({ ino }) => ino)).size).toBe(1)
  })
})

/**
 * The bytes that a process has made dirty in the page cache of real file systems so far. Unlike wchar it leaves out
 * sockets, and counts a page again that is written again after it went to the disk.
 */
async function writtenBy(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/io`, 'utf8')
  return Number(/^write_bytes: (\d+)$/m.exec(text)?.[1])
}

/** Linux counts, and on tmpfs it does not. */
async function countsWrites(): Promise<boolean> {
  if (process.platform !== 'linux') return false
  const directory = await mkdtemp(join(tmpdir(), 'koa-range-'))
  const before = await writtenBy(process.pid)
  await writeFile(join(directory, 'probe'), randomBytes(MEBIBYTE))
  const written = (await writtenBy(process.pid)) - before
  await rm(directory, { recursive: true })
  return written >= MEBIBYTE
}

describe.skipIf(!(await countsWrites()))('an upload of 32 MiB', () => {
  const SIZE = 32 * MEBIBYTE

  /** What the server's process writes meanwhile. */
  async function written({ child }: ServerProcess, work: () => Promise<Response>): Promise<number> {
    const before = await writtenBy(child.pid)
    expect((await work()).status).toBe(201)
    return (await writtenBy(child.pid)) - before
  }

  it.each(Object.entries(WAYS))('is written to the disk once: %s', async (_, send) => {
    const { url, server } = await startServer(await temporaryDirectory())
    const share = (await written(server, () => send(url, randomBytes(SIZE)))) / SIZE
    expect(share).toBeGreaterThanOrEqual(1)
    expect(share).toBeLessThan(1.02)
  })

  it('is not written again when it is resumed after kill -9', async () => {
    const data = await temporaryDirectory()
    const first = await startServer(data)
    const content = randomBytes(SIZE)
    const half = SIZE / 2
    const location = locationOf(await begin(first.url, 'POST', '/video', content.subarray(0, half)))
    await first.server.stop('SIGKILL')
    const { url, server } = await startServer(data)
    const share = (await written(server, () => goOn(url, location, content, half))) / half
    expect(share).toBeGreaterThanOrEqual(1)
    expect(share).toBeLessThan(1.02)
  })
})
