import { createHash, randomBytes } from 'node:crypto'
import { chmod, open, readdir, stat, truncate, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formWith, startApp } from '../support/app.ts'
import { append, begin, locationOf, startServer } from '../support/resumable.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const CONTENT = randomBytes(200_000)
const DIGEST = createHash('sha256').update(CONTENT).digest()

/** The only blob of a server's data. */
async function blobIn(data: string): Promise<string> {
  const names = await readdir(join(data, 'blobs'), { recursive: true })
  const paths = names.map((name) => join(data, 'blobs', name))
  const blobs: string[] = []
  for (const path of paths) if ((await stat(path)).isFile()) blobs.push(path)
  expect(blobs).toHaveLength(1)
  const [blob = ''] = blobs
  await chmod(blob, 0o640)
  return blob
}

/** Changes 4 bytes in the middle; the length stays. */
async function flip(path: string): Promise<void> {
  const file = await open(path, 'r+')
  await file.write(Buffer.from(CONTENT.subarray(100_000, 100_004).map((byte) => byte ^ 0xff)), 0, 4, 100_000)
  await file.close()
}

const DAMAGE: Readonly<Record<string, (blob: string) => Promise<void>>> = {
  'has other bytes': flip,
  'is truncated': (blob) => truncate(blob, 100),
  'is missing': unlink,
}

const put = (url: string, key: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${url}/videos/${key}`, { method: 'PUT', body: CONTENT, headers })

async function sendParts(url: string, method: string, path: string): Promise<Response> {
  const name = { 'Content-Disposition': 'attachment; filename="film.bin"' }
  const begun = await begin(url, method, path, CONTENT.subarray(0, 50_001), name)
  return append(url, locationOf(begun), 50_001, CONTENT.subarray(50_001), true)
}

async function sendTus(url: string): Promise<Response> {
  const metadata = `filename ${Buffer.from('film.bin').toString('base64')}`
  const headers = { 'Tus-Resumable': '1.0.0', 'Content-Type': 'application/offset+octet-stream' }
  const fields = { ...headers, 'Upload-Length': String(CONTENT.length), 'Upload-Metadata': metadata }
  return fetch(`${url}/files`, { method: 'POST', headers: fields, body: CONTENT })
}

/** How the right bytes are sent again, and the key under which the response says that they are. */
const UPLOADS: Readonly<Record<string, [send: (url: string) => Promise<Response>, key: string]>> = {
  'PUT under another key, with the right Repr-Digest': [
    (url) => put(url, 'other.bin', { 'Repr-Digest': `sha-256=:${DIGEST.toString('base64')}:` }),
    'other.bin',
  ],
  'PUT over it': [(url) => put(url, 'film.bin'), 'film.bin'],
  'a form': [
    (url) => fetch(`${url}/video`, { method: 'POST', body: formWith('file', 'film.bin', CONTENT) }),
    'film.bin',
  ],
  'a form, under another name': [
    (url) => fetch(`${url}/video`, { method: 'POST', body: formWith('file', 'other.bin', CONTENT) }),
    'other.bin',
  ],
  'a resumable PUT': [(url) => sendParts(url, 'PUT', '/videos/film.bin'), 'film.bin'],
  'a resumable POST': [(url) => sendParts(url, 'POST', '/video'), 'film.bin'],
  tus: [sendTus, 'film.bin'],
}

async function get(url: string, key: string): Promise<Buffer> {
  const response = await fetch(`${url}/videos/${key}`)
  expect(response.status).toBe(200)
  expect(response.headers.get('etag')).toBe(`"${DIGEST.toString('hex')}"`)
  return Buffer.from(await response.arrayBuffer())
}

describe.each(Object.entries(DAMAGE))('a stored video whose blob %s', (_, damage) => {
  it.each(Object.entries(UPLOADS))('has the right bytes again after %s', async (_way, [send, key]) => {
    const { url, directory } = await startApp('--store', 'fs')
    await put(url, 'film.bin')
    // From now on the server has the file open.
    expect((await get(url, 'film.bin')).equals(CONTENT)).toBe(true)
    await damage(await blobIn(directory))
    const response = await send(url)
    expect([200, 201]).toContain(response.status)
    expect((await get(url, key)).equals(CONTENT)).toBe(true)
    const range = await fetch(`${url}/videos/${key}`, { headers: { Range: 'bytes=100000-100003' } })
    expect(Buffer.from(await range.arrayBuffer()).equals(CONTENT.subarray(100_000, 100_004))).toBe(true)
  })
})

describe('a stored video whose bytes are lost', () => {
  it.each(['is truncated', 'is missing'])(
    'can be created with If-None-Match: * when its blob %s',
    async (name) => {
      const { url, directory } = await startApp('--store', 'fs')
      await put(url, 'film.bin')
      expect((await put(url, 'film.bin', { 'If-None-Match': '*' })).status).toBe(412)
      await DAMAGE[name]?.(await blobIn(directory))
      expect((await put(url, 'film.bin', { 'If-None-Match': '*' })).status).toBe(201)
      expect((await get(url, 'film.bin')).equals(CONTENT)).toBe(true)
    },
  )

  it('can be replaced with If-Match, and deleted', async () => {
    const { url, directory } = await startApp('--store', 'fs')
    await put(url, 'film.bin')
    await unlink(await blobIn(directory))
    const etag = `"${DIGEST.toString('hex')}"`
    expect((await put(url, 'film.bin', { 'If-Match': etag })).status).toBe(200)
    expect((await get(url, 'film.bin')).equals(CONTENT)).toBe(true)
    await unlink(await blobIn(directory))
    expect((await fetch(`${url}/videos/film.bin`, { method: 'DELETE' })).status).toBe(204)
    expect((await fetch(`${url}/videos/film.bin`)).status).toBe(404)
  })
})

describe('a video that is uploaded again with the same content', () => {
  it.each(['a form', 'a resumable POST', 'tus'])('keeps its name and its date: %s', async (name) => {
    const { url, store } = await startApp()
    await put(url, 'film.bin')
    const before = await store.get('film.bin')
    const [send] = UPLOADS[name] ?? []
    expect((await send?.(url))?.status).toBe(201)
    const after = await store.get('film.bin')
    expect(after?.lastModified).toBe(before?.lastModified)
    expect((await store.list()).items).toHaveLength(1)
  })
})

describe('a server with several workers', () => {
  it('serves the right bytes from all of them after one has received a damaged video again', async () => {
    const data = await temporaryDirectory()
    const { url } = await startServer(data, '--workers', '2')
    await put(url, 'film.bin')
    const getMany = () => Promise.all(Array.from({ length: 16 }, () => get(url, 'film.bin')))
    const warm = await getMany()
    expect(warm.every((bytes) => bytes.equals(CONTENT))).toBe(true)
    await flip(await blobIn(data))
    const damaged = await getMany()
    expect(damaged.some((bytes) => bytes.equals(CONTENT))).toBe(false)
    expect((await put(url, 'other.bin')).status).toBe(201)
    const repaired = await getMany()
    expect(repaired.every((bytes) => bytes.equals(CONTENT))).toBe(true)
  })
})
