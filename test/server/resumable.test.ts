import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { append, askOffset, begin, locationOf, startServer } from '../support/resumable.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const BYTES = randomBytes(300_000)

/** Sends the first part, and gives the path where the upload goes on. */
async function beginPart(url: string, method: string, path: string, headers = {}): Promise<string> {
  const response = await begin(url, method, path, BYTES.subarray(0, 100_000), headers)
  expect([response.status, response.headers.get('Upload-Offset')]).toEqual([201, '100000'])
  return locationOf(response)
}

function finish(url: string, path: string): Promise<Response> {
  return append(url, path, 100_000, BYTES.subarray(100_000), true)
}

async function bytesAt(url: string, path: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(new URL(path, url))).arrayBuffer())
}

describe('a resumable upload', () => {
  it('resumes after kill -9 of the server, and becomes the video of its name', async () => {
    const data = await temporaryDirectory()
    const first = await startServer(data)
    const disposition = { 'Content-Disposition': 'inline; filename="clip one.mp4"' }
    const path = await beginPart(first.url, 'POST', '/video', disposition)
    await first.server.stop('SIGKILL')
    const { url } = await startServer(data)
    const head = await askOffset(url, path)
    expect([head.status, head.headers.get('Upload-Offset')]).toEqual([204, '100000'])
    const done = await finish(url, path)
    expect([done.status, done.headers.get('Upload-Complete')]).toEqual([201, '?1'])
    expect(await done.json()).toMatchObject({ key: 'clip one.mp4', size: BYTES.length })
    expect((await bytesAt(url, '/get_video_by_name/clip%20one.mp4')).equals(BYTES)).toBe(true)
  })

  it('keeps the conditions of the PUT that began it', async () => {
    const { url } = await startServer(await temporaryDirectory())
    const path = await beginPart(url, 'PUT', '/videos/a', { 'If-None-Match': '*' })
    await fetch(new URL('/videos/a', url), { method: 'PUT', body: 'other' })
    const refused = await finish(url, path)
    expect([refused.status, refused.headers.get('Upload-Complete')]).toEqual([412, '?1'])
    expect(String(await bytesAt(url, '/videos/a'))).toBe('other')
    const replacing = await beginPart(url, 'PUT', '/videos/a')
    expect((await finish(url, replacing)).status).toBe(200)
    expect((await bytesAt(url, '/videos/a')).equals(BYTES)).toBe(true)
  })

  it('tells what it became when it is asked again, though the same content was there before', async () => {
    const { url } = await startServer(await temporaryDirectory())
    for (const _ of ['first', 'again']) {
      const disposition = { 'Content-Disposition': 'inline; filename="a.mp4"' }
      const path = await beginPart(url, 'POST', '/video', disposition)
      expect(await (await finish(url, path)).json()).toMatchObject({ key: 'a.mp4' })
      const head = await askOffset(url, path)
      expect(head.headers.get('Upload-Complete')).toBe('?1')
      expect(head.headers.get('Upload-Offset')).toBe(`${BYTES.length}`)
    }
  })

  it('goes from worker to worker', async () => {
    const { url } = await startServer(await temporaryDirectory(), '--workers', '2')
    const path = await beginPart(url, 'POST', '/video')
    for (let asked = 0; asked < 6; asked++) {
      const head = await fetch(new URL(path, url), { method: 'HEAD', headers: { Connection: 'close' } })
      expect(head.headers.get('Upload-Offset')).toBe('100000')
    }
    expect((await finish(url, path)).status).toBe(201)
  })

  it('is not begun by a PUT of a part (RFC 9110 §14.5)', async () => {
    const { url } = await startServer(await temporaryDirectory())
    const headers = { 'Upload-Complete': '?0', 'Content-Range': 'bytes 0-9/20' }
    const refused = await fetch(new URL('/videos/a', url), { method: 'PUT', headers, body: 'x'.repeat(10) })
    expect(refused.status).toBe(400)
  })

  it('is not begun on a server that is read-only, nor larger than --max-file-size', async () => {
    const readOnly = await startServer(await temporaryDirectory(), '--read-only')
    const headers = { 'Upload-Complete': '?0' }
    const post = { method: 'POST', headers, body: 'x' }
    expect((await fetch(new URL('/video', readOnly.url), post)).status).toBe(403)
    const small = await startServer(await temporaryDirectory(), '--max-file-size', '1000')
    const refused = await fetch(new URL('/video', small.url), { ...post, body: BYTES })
    expect(refused.status).toBe(413)
    expect(refused.headers.get('Upload-Limit')).toContain('max-size=1000')
  })
})
