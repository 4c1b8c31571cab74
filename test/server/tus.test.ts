import { createHash, randomBytes } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { RawRequest, send } from '../koa-resumable-upload/client.ts'
import {
  append,
  appending,
  begin,
  checksum,
  create,
  look,
  metadata,
  VERSION,
} from '../koa-resumable-upload/tus-client.ts'
import { formWith, startApp } from '../support/app.ts'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { ON_S3 } from '../support/test-store.mjs'

/** One-byte characters, as all that these tests send as text. */
const TEXT = randomBytes(300_000).toString('latin1')
const BYTES = Buffer.from(TEXT, 'latin1')
const DIGEST = createHash('sha256').update(BYTES).digest('hex')

async function start(data: string, ...flags: string[]): Promise<{ url: string; server: ServerProcess }> {
  const server = new ServerProcess(['--port', '0', '--data', data, '--accept', '*/*', ...flags])
  onTestFinished(async () => void (await server.stop('SIGKILL')))
  return { url: await server.url(), server }
}

function pause(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time))
}

/** An upload of `length` bytes, and a PATCH for it that has sent less than it announced. */
async function stall(url: string, length: number, content: string) {
  const path = await begin(url, length)
  const fields = { ...appending(0), 'Content-Length': String(length), Expect: '100-continue' }
  const request = new RawRequest(url, 'PATCH', path, fields)
  // However busy the machine is, it is read from then on.
  await request.until(/^HTTP\/1\.1 100 /)
  request.write(content)
  await pause(200)
  return { path, request }
}

/** How many bytes the server has written to the files of unfinished uploads. */
async function stagedBytes(data: string): Promise<number> {
  const files = (await readdir(join(data, 'staging'))).filter((name) => name.endsWith('.part'))
  const stats = await Promise.all(files.map((name) => stat(join(data, 'staging', name))))
  return stats.reduce((sum, { size }) => sum + size, 0)
}

interface Video {
  readonly key: string
  readonly digest: string
}

async function videos(url: string): Promise<readonly Video[]> {
  const page = (await (await fetch(`${url}/videos`)).json()) as { items: readonly Video[] }
  return page.items
}

describe('tus', () => {
  it('resumes after kill -9 of the server in mid-upload, and becomes the video of its name', async () => {
    const data = await temporaryDirectory()
    const first = await start(data)
    // The store writes blocks of 256 KiB.
    const text = TEXT.repeat(12)
    const path = await begin(first.url, text.length, metadata({ filename: 'clip one.mp4' }))
    const fields = { ...appending(0), 'Content-Length': String(text.length) }
    new RawRequest(first.url, 'PATCH', path, fields).write(text.slice(0, 3_000_000))
    if (ON_S3) await pause(500)
    else await expect.poll(() => stagedBytes(data)).toBeGreaterThan(0)
    await first.server.stop('SIGKILL')
    const { url } = await start(data)
    const [status, offset] = await look(url, path)
    expect(status).toBe(200)
    // On S3 a part is durable when it is full.
    expect(Number(offset)).toBeGreaterThanOrEqual(ON_S3 ? 0 : 1)
    expect(Number(offset)).toBeLessThanOrEqual(3_000_000)
    const done = await append(url, path, Number(offset), text.slice(Number(offset)))
    expect([done.status, done.headers.get('content-location')]).toEqual([
      204,
      '/get_video_by_name/clip%20one.mp4',
    ])
    const video = await fetch(new URL(path, url))
    expect([video.url, video.status]).toEqual([`${url}/get_video_by_name/clip%20one.mp4`, 200])
    expect(Buffer.from(await video.arrayBuffer()).toString('latin1') === text).toBe(true)
  })

  it('tells that an upload is finished after kill -9 of the server, too', async () => {
    const data = await temporaryDirectory()
    const first = await start(data)
    const path = await begin(first.url, 5)
    await append(first.url, path, 0, 'hello')
    await first.server.stop('SIGKILL')
    const { url } = await start(data)
    expect(await look(url, path)).toEqual([200, '5', '5'])
    expect((await append(url, path, 5, '')).status).toBe(204)
    expect((await send(url, 'DELETE', path, VERSION)).status).toBe(204)
    expect((await look(url, path))[0]).toBe(404)
    expect((await videos(url)).map(({ key }) => key)).toEqual(['a'])
  })

  // On S3 another process cannot ask the writer for what it has not written yet.
  it.each(ON_S3 ? ['1'] : ['1', '2'])(
    'a HEAD beside a PATCH that stalls takes at most 100 ms more than one afterwards, with %s workers',
    async (workers) => {
      const { url } = await start(await temporaryDirectory(), '--workers', workers)
      const delays: number[] = []
      for (let round = 0; round < 4; round++) {
        const { path, request } = await stall(url, 10, 'hello')
        const started = performance.now()
        expect(await look(url, path)).toEqual([200, '5', '10'])
        const stalled = performance.now() - started
        await expect(request.answer).rejects.toThrow()
        const again = performance.now()
        await look(url, path)
        delays.push(stalled - 4 * (performance.now() - again))
        expect((await append(url, path, 5, 'world')).status).toBe(204)
      }
      // In the best round, as other programs use this machine.
      expect(Math.min(...delays)).toBeLessThan(100)
      expect(Math.max(...delays)).toBeLessThan(2500)
    },
  )

  it.each(['1', '2'])('a GET beside a PATCH ends nothing, with %s workers', async (workers) => {
    const { url } = await start(await temporaryDirectory(), '--workers', workers)
    const { path, request } = await stall(url, 10, 'hello')
    for (let round = 0; round < 8; round++) {
      expect((await fetch(new URL(path, url), { redirect: 'manual' })).status).toBe(404)
    }
    expect((await request.write('world').answer).status).toBe(204)
    expect((await fetch(new URL(path, url))).url).toBe(`${url}/get_video_by_name/a`)
  })

  it('a PATCH takes the slot of the one that stalls, and others are refused before their content', async () => {
    const { url } = await start(await temporaryDirectory(), '--max-concurrent-uploads', '1')
    const { path, request } = await stall(url, 10, 'hello')
    const other = await begin(url, 5)
    const fields = { ...appending(0), 'Content-Length': '5', Expect: '100-continue' }
    const refused = await new RawRequest(url, 'PATCH', other, fields).answer
    expect([refused.status, refused.interim, refused.headers.get('retry-after')]).toEqual([503, [], '5'])
    expect((await append(url, path, 5, 'world')).status).toBe(204)
    await expect(request.answer).rejects.toThrow()
    expect((await append(url, other, 0, 'hello')).status).toBe(204)
  })

  it('goes from worker to worker', async () => {
    const { url } = await start(await temporaryDirectory(), '--workers', '2')
    const path = await begin(url, BYTES.length)
    for (let at = 0; at < BYTES.length; at += 50_000) {
      expect((await append(url, path, at, TEXT.slice(at, at + 50_000))).status).toBe(204)
      expect((await look(url, path))[1]).toBe(String(at + 50_000))
    }
    expect(await videos(url)).toMatchObject([{ key: 'a', digest: DIGEST }])
  })

  it('is 100 only for content that will be read', async () => {
    const { url } = await start(await temporaryDirectory(), '--max-file-size', '1000')
    const patch = (path: string, fields: object) =>
      new RawRequest(url, 'PATCH', path, { ...appending(0), Expect: '100-continue', ...fields })
    const path = await begin(url, 5)
    expect((await patch(path, { 'Content-Length': '6' }).answer).status).toBe(413)
    expect((await patch(path, { 'Content-Length': '5', 'Upload-Offset': '2000' }).answer).status).toBe(409)
    expect((await patch(await begin(url, 'deferred'), { 'Content-Length': '1001' }).answer).status).toBe(413)
    expect((await create(url, { 'Upload-Length': '1001' })).status).toBe(413)
    const taken = patch(path, { 'Content-Length': '5' })
    await taken.until(/^HTTP\/1\.1 100 /)
    expect((await taken.write('hello').answer).status).toBe(204)
  })

  it('answers refusals with problems, and with 460 for content that is not what its checksum says', async () => {
    const { url } = await startApp()
    const path = await begin(url, 5)
    const wrong = await append(url, path, 0, 'hullo', checksum('sha1', 'hello'))
    expect([wrong.status, wrong.headers.get('tus-resumable'), JSON.parse(wrong.body).status]).toEqual([
      460,
      '1.0.0',
      460,
    ])
    expect((await append(url, path, 0, 'hello', { 'Upload-Checksum': 'crc32 AAAA' })).status).toBe(400)
    expect((await append(url, path, 0, 'hello', { 'Content-Encoding': 'gzip' })).status).toBe(415)
    const version = await append(url, path, 0, 'hello', { 'Tus-Resumable': '0.2.2' })
    expect([version.status, version.headers.get('tus-version')]).toEqual([412, '1.0.0'])
    const put = await send(url, 'PUT', path, VERSION, 'hello')
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD, PATCH, DELETE, OPTIONS'])
    expect((await fetch(new URL(path, url))).status).toBe(404)
    expect(await look(url, path)).toEqual([200, '0', '5'])
  })

  it('tells what it can, and leaves cross-origin rules to the app', async () => {
    const origin = 'http://app.example'
    const { url } = await startApp('--cors-origin', origin, '--max-file-size', '1000')
    const { status, headers } = await send(url, 'OPTIONS', '/files')
    const told = [
      'tus-version',
      'tus-max-size',
      'tus-checksum-algorithm',
      'tus-extension',
      'access-control-allow-origin',
    ]
    expect([status, ...told.map((name) => headers.get(name))]).toEqual([
      204,
      '1.0.0',
      '1000',
      'sha1,md5,sha256,sha512',
      'creation,creation-with-upload,creation-defer-length,termination,expiration,checksum,checksum-trailer,concatenation',
      undefined,
    ])
    const length = { 'Upload-Length': '5' }
    const own = await create(url, { ...length, Origin: origin })
    expect([own.status, own.headers.get('access-control-allow-origin')]).toEqual([201, origin])
    expect(own.headers.get('access-control-expose-headers')).toContain('Tus-Resumable')
    expect((await create(url, { ...length, Origin: 'http://evil.example' })).status).toBe(403)
  })

  it('says where the upload is as it holds behind any proxy', async () => {
    const { url } = await startApp('--trust-proxy', '--allow-anonymous', '--allowed-hosts', 'videos.example')
    const proxies = { 'X-Forwarded-Proto': 'https, http', 'X-Forwarded-Host': 'videos.example' }
    const { status, headers } = await create(url, { 'Upload-Length': '5', ...proxies })
    expect([status, headers.get('location')]).toEqual([201, expect.stringMatching(/^\/files\/[\w-]{22}$/)])
  })

  it('is refused by a server that is read-only', async () => {
    const { url } = await startApp('--read-only')
    expect((await create(url, { 'Upload-Length': '5' }, 'hello')).status).toBe(403)
    for (const method of ['PATCH', 'DELETE']) {
      expect((await send(url, method, '/files/aaaaaaaaaaaaaaaaaaaaaa', VERSION)).status).toBe(403)
    }
    expect((await look(url, '/files/aaaaaaaaaaaaaaaaaaaaaa'))[0]).toBe(404)
  })

  it('says nothing above debug of clients that go away, and serves on', async () => {
    const { url, server } = await start(await temporaryDirectory(), '--log-level', 'warn')
    for (let round = 0; round < 5; round++) {
      ;(await stall(url, 10, 'hello')).request.cut()
      const fields = { ...appending(0), 'Upload-Length': '10', 'Content-Length': '10' }
      const post = new RawRequest(url, 'POST', '/files', fields).write('hello')
      const chunked = { ...appending(0), 'Transfer-Encoding': 'chunked' }
      const broken = new RawRequest(url, 'PATCH', await begin(url, 10), chunked).write('5\r\nhello\r\nx')
      await pause(50)
      post.cut()
      broken.cut()
    }
    await pause(200)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect(server.stderr).toBe('')
  })

  it('becomes the same object as through every other door', async () => {
    const { url, directory: data } = await startApp()
    const body = new Uint8Array(BYTES)
    await fetch(`${url}/video`, { method: 'POST', body: formWith('file', 'form', body) })
    await fetch(`${url}/videos/put`, { method: 'PUT', body })
    const draft = { 'Upload-Complete': '?1', 'Content-Disposition': 'inline; filename=draft' }
    await fetch(`${url}/video`, { method: 'POST', headers: draft, body })
    await create(url, { 'Upload-Length': String(BYTES.length), ...metadata({ filename: 'tus' }) }, TEXT)
    const stored = await videos(url)
    expect(stored.map(({ key }) => key)).toEqual(['draft', 'form', 'put', 'tus'])
    expect(new Set(stored.map(({ digest }) => digest))).toEqual(new Set([DIGEST]))
    // On S3 each is a blob of its own.
    if (ON_S3) return
    const files = (await readdir(data, { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    )
    const stats = await Promise.all(files.map(({ parentPath, name }) => stat(join(parentPath, name))))
    const whole = stats.filter(({ size }) => size === BYTES.length)
    expect(new Set(whole.map(({ ino }) => ino)).size).toBe(1)
  })

  it('never replaces a video, whichever protocol resumes the upload', async () => {
    const { url } = await startApp()
    await fetch(`${url}/videos/a`, { method: 'PUT', body: 'first' })
    const path = await begin(url, 5)
    const fields = {
      'Content-Type': 'application/partial-upload',
      'Upload-Offset': '0',
      'Upload-Complete': '?1',
    }
    const draft = await send(url, 'PATCH', path.replace('/files/', '/uploads/'), fields, 'other')
    expect([draft.status, JSON.parse(draft.body).key]).toEqual([201, 'a-2'])
    await create(url, { 'Upload-Length': '5' }, 'third')
    expect((await videos(url)).map(({ key }) => key)).toEqual(['a', 'a-2', 'a-3'])
    expect(await (await fetch(`${url}/videos/a`)).text()).toBe('first')
  })
})
