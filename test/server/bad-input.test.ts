import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { formWith, startApp } from '../support/app.ts'
import { exchange } from '../support/raw.ts'
import { REPOSITORY, ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'

async function nothingIsLeft(directory: string): Promise<void> {
  // An upload that is refused is removed behind its answer.
  await expect.poll(() => filesOf(directory)).toEqual(['FORMAT'])
}

async function filesOf(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.endsWith('/owners'))
  return files.map(({ name }) => name)
}

async function startProcess(...flags: string[]): Promise<{ url: string; data: string }> {
  const data = join(await temporaryDirectory(), 'data')
  const server = new ServerProcess(['--port', '0', '--data', data, ...flags])
  onTestFinished(async () => void (await server.stop('SIGKILL')))
  return { url: await server.url(), data }
}

const problem = async (response: Response) => {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  const { status, title, detail } = await response.json()
  expect(status).toBe(response.status)
  expect(title).toMatch(/\w/)
  return String(detail)
}

describe('an upload that cannot be taken', () => {
  it.each([
    ['without the field', formWith('other', 'a.mp4', 'x'), /"file".*"other"/],
    [
      'with text in its place',
      (() => {
        const form = new FormData()
        form.append('title', 'x')
        return form
      })(),
      /"file"/,
    ],
    ['with a file input that was left empty', formWith('file', '', ''), /"file"/],
  ])('is 422 %s', async (_, body, detail) => {
    const { url, directory } = await startApp()
    const response = await fetch(`${url}/video`, { method: 'POST', body })
    expect(response.status).toBe(422)
    expect(await problem(response)).toMatch(detail)
    await nothingIsLeft(directory)
  })

  it.each([
    ['application/json', '{}'],
    ['application/x-www-form-urlencoded', 'file=x'],
    ['video/mp4', 'x'],
  ])('is 415 as %s', async (type, body) => {
    const { url } = await startApp()
    const response = await fetch(`${url}/video`, { method: 'POST', headers: { 'content-type': type }, body })
    expect(response.status).toBe(415)
    expect(await problem(response)).toContain('multipart/form-data')
  })

  it.each([
    ['no boundary', 'multipart/form-data', 'x'],
    [
      'no closing boundary',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx',
    ],
    ['a second file in the field', 'multipart/form-data; boundary=b', `${part('a')}${part('b')}--b--\r\n`],
  ])('is 400 or 413 with %s, and leaves nothing', async (_, type, body) => {
    const { url, directory } = await startApp()
    const response = await fetch(`${url}/video`, { method: 'POST', headers: { 'content-type': type }, body })
    expect([400, 413]).toContain(response.status)
    await problem(response)
    await expect.poll(() => readdir(join(directory, 'staging'))).toEqual([])
    await nothingIsLeft(directory)
  })

  it('is 413 by Content-Length before a byte of it is sent', async () => {
    const { url } = await startProcess('--max-file-size', '1MiB')
    const answer = await exchange(
      url,
      `POST /video HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${2 ** 40}\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toMatch(/connection: close/i)
    expect(answer).toContain('the limit is')
  })

  it('is 413 without 100 Continue for a client that asks first', async () => {
    const { url } = await startProcess('--max-file-size', '1MiB')
    const answer = await exchange(
      url,
      `PUT /videos/a HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nContent-Length: ${2 ** 40}\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
  })

  it.each(['2.0', '0.9'])(
    'is 505 for a request that says HTTP/%s, which changes nothing',
    async (version) => {
      const { url } = await startProcess('--accept', '*/*')
      const head = `HTTP/${version}\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n`
      const answer = await exchange(
        url,
        `PUT /videos/a ${head}Content-Length: 5\r\n\r\nhelloGET / ${head}\r\n`,
      )
      expect(answer).toMatch(/^HTTP\/1\.1 505 /)
      expect(answer).toContain(`The request line says HTTP/${version};`)
      expect(answer.split('HTTP/1.1 ').length - 1).toBe(1)
      expect((await fetch(`${url}/videos/a`)).status).toBe(404)
    },
  )

  it('is not asked for with 100 Continue over HTTP/1.0', async () => {
    const { url } = await startProcess('--accept', '*/*')
    const answer = await exchange(
      url,
      'PUT /videos/a HTTP/1.0\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 201 /)
  })

  it('is asked for with 100 Continue when it may come', async () => {
    const { url } = await startProcess('--accept', '*/*')
    const upload = request(`${url}/videos/a`, {
      method: 'PUT',
      headers: { expect: '100-continue', 'content-length': 5 },
    })
    upload.flushHeaders()
    await once(upload, 'continue')
    upload.end('hello')
    const [response] = await once(upload, 'response')
    expect(response.statusCode).toBe(201)
    response.resume()
  })

  it('is 413 as soon as a body of unknown length passes the limit, and leaves nothing', async () => {
    const { url, data } = await startProcess('--max-file-size', '100000', '--accept', '*/*')
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write('PUT /videos/a HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n')
    const sending = setInterval(() => socket.write(`10000\r\n${'x'.repeat(65_536)}\r\n`), 5)
    let answer = ''
    socket.on('error', () => {})
    socket.on('data', (text) => {
      answer += text
    })
    // Not once(), which gives up on the pipe that is closed before this client stops sending.
    await new Promise((resolve) => socket.once('close', resolve))
    clearInterval(sending)
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    await nothingIsLeft(data)
  })

  it('is 415 when HTML comes dressed as .mp4, long before all of it has been sent', async () => {
    const { url, data } = await startProcess()
    const head =
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\nContent-Type: video/mp4\r\n\r\n'
    const answer = await exchange(
      url,
      `POST /video HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000000\r\n\r\n${head}<!doctype html><script>alert(1)</script>${' '.repeat(100_000)}`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 415 /)
    expect(answer).toContain('accepted are video/*, audio/*, text/vtt')
    await nothingIsLeft(data)
  })
})

function part(name: string): string {
  return `--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n\r\nx\r\n`
}

describe('a hostile file name', () => {
  it.each([
    ['../../evil.mp4', 'evil.mp4'],
    ['a\\0b', '0b'],
    [`${'n'.repeat(300)}.mp4`, `${'n'.repeat(251)}.mp4`],
    ['видео 歌.mp4', 'видео 歌.mp4'],
    ['a"b<c>&.mp4', 'a"b<c>&.mp4'],
    ['100% #1?.mp4', '100% #1?.mp4'],
    ['..', 'video'],
  ])('%j is stored as %j and read back under the URL of the answer', async (name, key) => {
    const { url, directory } = await startApp()
    const response = await fetch(`${url}/video`, {
      method: 'POST',
      body: rawForm(name),
      headers: FORM_HEADERS,
    })
    if (name === '..') {
      // busboy takes this for a part without a file.
      expect(response.status).toBe(422)
      return
    }
    expect(response.status).toBe(201)
    const answer = await response.json()
    expect(answer.key).toBe(key)
    expect(await (await fetch(answer.video_url)).text()).toBe('content')
    expect((await readdir(directory)).sort()).toEqual([
      'FORMAT',
      'blobs',
      'digests',
      'owners',
      'records',
      'staging',
    ])
  })
})

describe('a NUL in a file name', () => {
  it('is 400 as it is, and dropped where filename* encodes it', async () => {
    const { url, directory } = await startApp()
    const send = (body: Buffer<ArrayBuffer>) =>
      fetch(`${url}/video`, { method: 'POST', body, headers: FORM_HEADERS })
    expect((await send(rawForm('a\0b'))).status).toBe(400)
    await nothingIsLeft(directory)
    const encoded = Buffer.from(rawForm('x').toString().replace('filename="x"', "filename*=UTF-8''a%00b"))
    expect(await (await send(encoded)).json()).toMatchObject({ key: 'ab' })
  })
})

const FORM_HEADERS = { 'content-type': 'multipart/form-data; boundary=b' }

/** By hand: FormData would mend the name. */
function rawForm(name: string): Buffer<ArrayBuffer> {
  const quoted = name.replaceAll('"', '%22')
  return Buffer.from(
    `--b\r\nContent-Disposition: form-data; name="file"; filename="${quoted}"\r\n\r\ncontent\r\n--b--\r\n`,
  )
}

describe('a malformed URL', () => {
  it.each(['/%zz', '/videos/%', '/get_video_by_name/%ff', '/assets/%c0%ae%c0%ae/x'])(
    'is 400: %s',
    async (path) => {
      const { url } = await startApp()
      const answer = await exchange(
        url,
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
      )
      expect(answer).toMatch(/^HTTP\/1\.1 400 /)
      expect(answer).toContain('application/problem+json')
    },
  )

  it.each(['/videos/a%2fb', '/get_video_by_name/..%2f..%2fetc%2fpasswd', '/videos/%2e%2e', '/videos/a%00b'])(
    'whose name is no key is 400: %s',
    async (path) => {
      const { url } = await startApp()
      const answer = await exchange(
        url,
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
      )
      expect(answer).toMatch(/^HTTP\/1\.1 400 /)
      expect(answer).not.toContain(REPOSITORY)
    },
  )

  it.each([
    '/assets/..%2f..%2fpackage.json',
    '/assets/%2e%2e/package.json',
    '/assets/',
    '/assets/video',
    '/page/../package.json',
  ])('never leaves the static directory: %s', async (path) => {
    const { url } = await startApp()
    const answer = await exchange(url, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 404 /)
    expect(answer).not.toContain((await readFile(join(REPOSITORY, 'LICENSE'), 'utf8')).slice(0, 20))
  })
})
