import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { formWith } from '../support/app.ts'
import { exchange } from '../support/raw.ts'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'

/** A proxy names the client; without a token, that has to be allowed. */
const PROXIED = ['--trust-proxy', '--allow-anonymous']

const HOST = 'Host: 127.0.0.1\r\n'

async function startProcess(...flags: string[]): Promise<string> {
  const data = await temporaryDirectory()
  const server = new ServerProcess(['--port', '0', '--data', data, '--accept', '*/*', ...flags])
  onTestFinished(async () => void (await server.stop('SIGKILL')))
  return server.url()
}

function open(url: string, text: string): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {})
  onTestFinished(() => void socket.destroy())
  socket.write(text)
  return socket
}

async function answerOf(socket: Socket): Promise<string> {
  const [text] = await once(socket.setEncoding('latin1'), 'data')
  return text
}

/** The status of a PUT of one byte that comes from another address of this machine. */
async function putFrom(url: string, localAddress: string): Promise<string> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', localAddress })
  onTestFinished(() => void socket.destroy())
  socket.write(`PUT /videos/other HTTP/1.1\r\n${HOST}Connection: close\r\nContent-Length: 1\r\n\r\nx`)
  return (await answerOf(socket)).slice(9, 12)
}

/** Begins an upload that keeps its slot: resolves when the server asks for the content. */
async function beginFrom(url: string, key: string, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', localAddress })
  onTestFinished(() => void socket.destroy())
  socket.write(
    `PUT /videos/${key} HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nConnection: close\r\nContent-Length: 1\r\n\r\n`,
  )
  expect(await answerOf(socket)).toMatch(/^HTTP\/1\.1 100 /)
  return socket
}

describe('--max-concurrent-uploads', () => {
  it('answers 503 with Retry-After, before the body is asked for, to an address with a quarter of them', async () => {
    const url = await startProcess('--max-concurrent-uploads', '8')
    const [first] = await Promise.all([beginFrom(url, '1'), beginFrom(url, '2')])
    const head = `${HOST}Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n`
    const refused = await answerOf(open(url, `PUT /videos/3 HTTP/1.1\r\n${head}`))
    expect(refused).toMatch(/^HTTP\/1\.1 503 /)
    expect(refused).toMatch(/retry-after: 5\r\n/i)
    expect(refused).toContain('Your address has reached its limit of simultaneous uploads')
    const form = () => fetch(`${url}/video`, { method: 'POST', body: formWith('file', 'a', 'x') })
    expect((await form()).status).toBe(503)
    expect(await putFrom(url, '127.0.0.2')).toBe('201')
    first.write('x')
    expect(await answerOf(first)).toMatch(/^HTTP\/1\.1 201 /)
    expect((await form()).status).toBe(201)
  })

  it('answers 503 to every address when all of them are in use', async () => {
    const url = await startProcess('--max-concurrent-uploads', '4')
    const begun = [1, 2, 3, 4].map((number) => beginFrom(url, String(number), `127.0.0.${number}`))
    const [first] = await Promise.all(begun)
    expect(await putFrom(url, '127.0.0.5')).toBe('503')
    first?.write('x')
    if (first !== undefined) await once(first, 'close')
    expect(await putFrom(url, '127.0.0.5')).toBe('201')
  })

  it('counts the addresses that a trusted proxy names, and one /64 of IPv6 as one', async () => {
    const url = await startProcess('--max-concurrent-uploads', '8', ...PROXIED)
    const putFor = async (client: string) => {
      const headers = { 'X-Forwarded-For': client }
      return (await fetch(`${url}/videos/x`, { method: 'PUT', body: 'x', headers })).status
    }
    const hold = (client: string) =>
      open(url, `PUT /videos/a HTTP/1.1\r\n${HOST}X-Forwarded-For: ${client}\r\nContent-Length: 9\r\n\r\nx`)
    for (const end of ['1', '2:3']) hold(`2001:db8:0:1::${end}`)
    await expect.poll(() => putFor('2001:db8:0:1:ffff::4')).toBe(503)
    expect(await putFor('2001:db8:0:2::1')).toBeLessThan(300)
  })
})

describe('an upload for which there is no space', () => {
  it('is 507 with Retry-After by its Content-Length, before its body is asked for', async () => {
    const url = await startProcess('--max-file-size', '1000TiB')
    for (const request of [
      'PUT /videos/a HTTP/1.1\r\n',
      'POST /video HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\n',
    ]) {
      const socket = open(
        url,
        `${request}${HOST}Expect: 100-continue\r\nContent-Length: ${900 * 1024 ** 4}\r\n\r\n`,
      )
      const answer = await answerOf(socket)
      expect(answer).toMatch(/^HTTP\/1\.1 507 /)
      expect(answer).toMatch(/retry-after: \d+\r\n/i)
      expect(answer).toContain('The server is full')
    }
  })
})

describe('a server of the default limits', () => {
  // One for all of these, because none changes what another one sees.
  const server = { url: '', end: async () => {} }

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'koa-range-'))
    const started = new ServerProcess(['--port', '0', '--data', join(directory, 'data'), '--accept', '*/*'])
    server.end = async () => {
      await started.stop('SIGKILL')
      await rm(directory, { recursive: true, force: true })
    }
    server.url = await started.url()
  })
  afterAll(() => server.end())

  describe('a request that is not to be understood', () => {
    it.each([
      [
        'an expectation other than 100-continue',
        `GET /healthz HTTP/1.1\r\n${HOST}Expect: miracles\r\n\r\n`,
        417,
      ],
      ['a header of 20 KB', `GET / HTTP/1.1\r\n${HOST}X: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
      ['no HTTP', 'hello\r\n\r\n', 400],
      ['two Host fields', `GET /healthz HTTP/1.1\r\n${HOST}Host: evil.example\r\n\r\n`, 400],
      ['a target on another host', `GET http://evil.example/healthz HTTP/1.1\r\n${HOST}\r\n`, 421],
      [
        'a transfer coding beside chunked',
        `PUT /videos/a HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
        501,
      ],
      [
        'a form with a coding',
        `POST /video HTTP/1.1\r\n${HOST}Content-Type: multipart/form-data; boundary=b\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx`,
        415,
      ],
      [
        'a form of another type',
        `POST /video HTTP/1.1\r\n${HOST}Content-Type: multipart/form-data-x; boundary=b\r\nContent-Length: 1\r\n\r\nx`,
        415,
      ],
      [
        'a form without a boundary',
        `POST /video HTTP/1.1\r\n${HOST}Content-Type: multipart/form-data; boundary=\r\nContent-Length: 1\r\n\r\nx`,
        400,
      ],
    ])('is a problem: %s', async (_, request, status) => {
      const { url } = server
      const answer = await answerOf(open(url, request))
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
      expect(answer).toMatch(/content-type: application\/problem\+json/i)
      expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ status })
    })
  })

  describe('a client that sends on after a request that is not to be understood', () => {
    it.each([
      ['a header of 1 MB', `GET / HTTP/1.1\r\n${HOST}X: `, 431],
      ['a broken chunk', `PUT /videos/a HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
    ])('reads why, and is not reset: %s', async (_, head, status) => {
      const { url } = server
      for (let i = 0; i < 20; i++) {
        const answer = await exchange(url, head + 'x'.repeat(1_000_000))
        expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
      }
    })
  })

  describe('requests in one packet', () => {
    it('are begun one after the other: a DELETE does not overtake the PUT before it', async () => {
      const { url } = server
      const put = `PUT /videos/packet HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\nx`
      const remove = `DELETE /videos/packet HTTP/1.1\r\n${HOST}\r\n`
      const last = `GET /videos/packet HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`
      const answer = await exchange(url, `${put}${remove}${put}${last}`)
      const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status)
      expect(statuses).toEqual(['201', '204', '201', '200'])
    })
  })

  describe('an answer to a request whose body is not read', () => {
    it.each(['GET', 'DELETE'])('closes the connection: %s', async (method) => {
      const { url } = server
      await fetch(`${url}/videos/a`, { method: 'PUT', body: 'x' })
      const socket = open(url, `${method} /videos/a HTTP/1.1\r\n${HOST}Content-Length: 1000000000000\r\n\r\n`)
      const answer = await answerOf(socket)
      expect(answer).toMatch(/^HTTP\/1\.1 20[04] /)
      expect(answer).toMatch(/connection: close/i)
      await once(socket, 'close')
    })
  })
})
