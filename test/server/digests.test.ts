import { createHash, randomBytes, randomInt } from 'node:crypto'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { startApp } from '../support/app.ts'
import { exchange } from '../support/raw.ts'

type Algorithm = 'sha-256' | 'sha-512'

const digestOf = (content: string | Uint8Array, algorithm: Algorithm = 'sha-256') =>
  `${algorithm}=:${createHash(algorithm.replace('-', '')).update(content).digest('base64')}:`

const put = (
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
  key = 'a',
) => fetch(`${url}/videos/${key}`, { method: 'PUT', body, headers })

const formOf = (content: Uint8Array): Buffer<ArrayBuffer> =>
  Buffer.concat([
    Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'),
    content,
    Buffer.from('\r\n--b--\r\n'),
  ])
const post = (url: string, body: Uint8Array<ArrayBuffer>, headers: Record<string, string>) =>
  fetch(`${url}/video`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'multipart/form-data; boundary=b', ...headers },
  })

describe('the digest of an upload (RFC 9530)', () => {
  it.each(['repr-digest', 'content-digest'])('is checked before publishing: %s of a PUT', async (field) => {
    const { url } = await startApp()
    for (const algorithm of ['sha-256', 'sha-512'] as const) {
      const wrong = await put(url, 'x', { [field]: digestOf('y', algorithm) })
      expect(wrong.status).toBe(400)
      expect((await wrong.json()).type).toMatch(/digest-mismatched-values$/)
      expect((await fetch(`${url}/videos/a`)).status).toBe(404)
    }
    const both = `${digestOf('x')}, ${digestOf('x', 'sha-512')}, md5=:AAAA:`
    expect((await put(url, 'x', { [field]: both })).status).toBe(201)
  })

  it.each(['repr-digest', 'content-digest'])('covers the form as it is sent: %s of a POST', async (field) => {
    const { url } = await startApp()
    const body = formOf(Buffer.from('hello'))
    expect((await post(url, body, { [field]: digestOf('hello') })).status).toBe(400)
    expect((await post(url, body, { [field]: digestOf('hello', 'sha-512') })).status).toBe(400)
    expect((await (await fetch(`${url}/videos`)).json()).items).toEqual([])
    expect((await post(url, body, { [field]: digestOf(body) })).status).toBe(201)
    expect((await post(url, body, { [field]: digestOf(body, 'sha-512') })).status).toBe(201)
  })

  it.each([
    'sha-256=abc',
    'sha-256=:abc',
    'sha-256=:YWJj:',
    'sha-256="text"',
    '=',
    `${digestOf('x')}, sha-512=:AAAA:`,
  ])('that is malformed is 400: %s', async (value) => {
    const { url } = await startApp()
    expect((await put(url, 'x', { 'repr-digest': value })).status).toBe(400)
    expect((await post(url, formOf(Buffer.from('x')), { 'content-digest': value })).status).toBe(400)
    expect((await (await fetch(`${url}/videos`)).json()).items).toEqual([])
  })

  it('is refused at once where two fields contradict each other', async () => {
    const { url } = await startApp()
    const headers = { 'repr-digest': digestOf('x'), 'content-digest': digestOf('y') }
    expect((await put(url, 'x', headers)).status).toBe(400)
  })

  it('may come in a trailer', async () => {
    const { url } = await startApp()
    const request = (digest: string) =>
      `PUT /videos/a HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nTrailer: Content-Digest\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nContent-Digest: ${digest}\r\n\r\n`
    expect(await exchange(url, request(digestOf('y')))).toMatch(/^HTTP\/1\.1 400 /)
    expect((await fetch(`${url}/videos/a`)).status).toBe(404)
    expect(await exchange(url, request(digestOf('x', 'sha-512')))).toMatch(/^HTTP\/1\.1 201 /)
  })

  it('lets nothing through with one bit flipped: 1,000 uploads, 1,000 refusals, none published', async () => {
    const { url, store } = await startApp()
    const statuses = new Map<number, number>()
    const flipped = (content: Buffer<ArrayBuffer>) => {
      const copy = Buffer.from(content)
      const at = randomInt(copy.length)
      copy.writeUInt8(copy.readUInt8(at) ^ (1 << randomInt(8)), at)
      return copy
    }
    const attempts = [
      (content: Buffer<ArrayBuffer>) => put(url, flipped(content), { 'repr-digest': digestOf(content) }),
      (content: Buffer<ArrayBuffer>) =>
        put(url, flipped(content), { 'content-digest': digestOf(content, 'sha-512') }),
      (content: Buffer<ArrayBuffer>) => {
        // The content's bits only: one in a boundary is a malformed form, which is refused as that.
        const form = formOf(content)
        return post(url, formOf(flipped(content)), { 'content-digest': digestOf(form) })
      },
    ]
    for (let round = 0; round < 1000; round += 4) {
      const answers = [0, 1, 2, 3].map(async (index) => {
        const content = Buffer.from(randomBytes(1 + randomInt(20_000)))
        const { status } = (await attempts[(round + index) % 3]?.(content)) ?? { status: 0 }
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      })
      await Promise.all(answers)
    }
    expect([...statuses]).toEqual([[400, 1000]])
    expect((await store.list()).items).toEqual([])
    expect(await store.sweep()).toMatchObject({ blobs: 0, discarded: 0 })
  }, 60_000)
})

describe('Repr-Digest of a stored object', () => {
  const ask = async (headers: Record<string, string>, method = 'GET') => {
    const { url } = await startApp()
    await put(url, 'hello world', {})
    return fetch(`${url}/videos/a`, { method, headers })
  }

  it.each([
    ['200', {}, 'GET', 200],
    ['HEAD', {}, 'HEAD', 200],
    ['206, of the whole', { range: 'bytes=0-3' }, 'GET', 206],
    ['200 where it is wanted', { 'want-repr-digest': 'sha-512=3, sha-256=1' }, 'GET', 200],
    ['200 where the wish cannot be read', { 'want-repr-digest': 'sha-256=high' }, 'GET', 200],
  ])('comes with %s', async (_, headers, method, status) => {
    const response = await ask(headers as Record<string, string>, method)
    expect(response.status).toBe(status)
    expect(response.headers.get('repr-digest')).toBe(digestOf('hello world'))
  })

  it.each([
    ['sha-256 is not acceptable', { 'want-repr-digest': 'sha-256=0' }, 200],
    ['only others are wanted', { 'want-repr-digest': 'sha-512=5' }, 200],
    ['304', { 'if-none-match': '*' }, 304],
    ['412', { 'if-match': '"other"' }, 412],
    ['416', { range: 'bytes=99-' }, 416],
  ])('is left out where %s', async (_, headers, status) => {
    const response = await ask(headers as Record<string, string>)
    expect(response.status).toBe(status)
    expect(response.headers.get('repr-digest')).toBeNull()
  })
})

describe('Want-Repr-Digest', () => {
  /** Whether the content of a GET and the final response of a resumable upload come with the sha-256. */
  async function answers(field: string): Promise<{ get: boolean; upload: boolean }> {
    const { url } = await startApp()
    const headers = {
      'Want-Repr-Digest': field,
      'Upload-Complete': '?1',
      'Upload-Draft-Interop-Version': '8',
    }
    const upload = await fetch(`${url}/videos/a`, { method: 'PUT', headers, body: 'hello world' })
    expect(upload.status).toBe(201)
    const get = await fetch(`${url}/videos/a`, { headers: { 'Want-Repr-Digest': field } })
    return { get: get.headers.has('repr-digest'), upload: upload.headers.has('repr-digest') }
  }

  it.each(['sha-256=1', 'sha-512=3, sha-256=10'])(
    '%s gets the digest by GET and from an upload',
    async (field) => {
      expect(await answers(field)).toEqual({ get: true, upload: true })
    },
  )

  it.each(['sha-256=0', 'sha-512=5', 'sha-256=0, sha-512=0'])('%s gets it from neither', async (field) => {
    expect(await answers(field)).toEqual({ get: false, upload: false })
  })

  it.each(['sha-256=11', 'sha-256=1.5', 'sha-256=high', 'sha-512=0', '='])(
    '%s counts as no field: a GET has the digest, an upload has not',
    async (field) => {
      expect(await answers(field)).toEqual({ get: true, upload: false })
    },
  )
})

describe('an upload whose client goes away before its digest is known', () => {
  it('leaves nothing', async () => {
    const { url, store } = await startApp()
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write(
      `PUT /videos/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\nRepr-Digest: ${digestOf('0123456789')}\r\n\r\n01234`,
    )
    await new Promise((resolve) => setTimeout(resolve, 100))
    socket.destroy()
    await expect.poll(async () => (await store.sweep()).busy).toBe(0)
    expect(await store.get('a')).toBeNull()
  })
})
