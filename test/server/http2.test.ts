import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { connect as connectHttp2, createServer } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls'
import { expect, it, onTestFinished } from 'vitest'
import { BODY_RULES, bodyWatch } from '../../apps/server/dist/http/slow-body.js'
import { type Client, type Request, send } from '../resumable/exchange.ts'
import { http2Client } from '../resumable/http2-client.ts'
import { type Certificate, makeCertificate } from '../support/certificate.ts'
import { ServerProcess } from '../support/server.ts'
import { missingPath, temporaryDirectory } from '../support/temporary.ts'
import { describeWith } from '../support/tools.ts'

const BYTES = randomBytes(3_000_000)

interface Started {
  readonly server: ServerProcess
  readonly url: string
  readonly data: string
  readonly certificate: Certificate
  readonly client: Client
}

async function start(...flags: readonly string[]): Promise<Started> {
  const data = join(await temporaryDirectory(), 'data')
  const certificate = await makeCertificate()
  const tls = ['--tls-cert', certificate.cert, '--tls-key', certificate.key]
  const server = new ServerProcess(['--port', '0', '--data', data, '--accept', '*/*', ...tls, ...flags])
  onTestFinished(async () => void (await server.stop('SIGKILL')))
  const url = await server.url()
  const client = http2Client(Number(new URL(url).port), certificate.ca)
  onTestFinished(() => client.close())
  return { server, url, data, certificate, client }
}

const get = (path: string, fields: Request['fields'] = {}): Request => ({ method: 'GET', path, fields })
const put = (path: string, body: Buffer, more: Partial<Request> = {}): Request => ({
  method: 'PUT',
  path,
  body,
  ...more,
})
const filesIn = async (directory: string) =>
  (await readdir(directory, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())

describeWith(['openssl'], 'over HTTPS with HTTP/2', () => {
  it('a page sees its requests, also one whose connection is gone', async () => {
    const { client, url, certificate } = await start()
    const view = 'abcdefghijklmnopqrstuv'
    await send(client, put('/videos/a', randomBytes(20_000_000)))
    await send(client, get(`/videos/a?view=${view}`, { range: 'bytes=4-7' }))
    const leaving = connectHttp2(url, { ca: certificate.ca }).on('error', () => {})
    const answer = leaving.request({ ':path': `/videos/a?view=${view}` }).on('error', () => {})
    await once(answer, 'data')
    leaving.destroy()
    const seen = async () =>
      JSON.parse(String((await send(client, get(`/requests?view=${view}`))).body)).requests
    await expect.poll(seen).toMatchObject([
      { status: 206, contentRange: 'bytes 4-7/20000000', state: 'sent', sent: 4 },
      { status: 200, state: 'stopped', sent: null },
    ])
  })

  it('content goes out whole, by ranges, and not at all', async () => {
    const { client, url } = await start()
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    const stored = await send(client, put('/videos/a', BYTES))
    expect(stored.status).toBe(201)
    expect(JSON.parse(String(stored.body)).video_url).toBe(`${url}/get_video_by_name/a`)
    const full = await send(client, get('/videos/a'))
    expect([full.status, full.body.equals(BYTES)]).toEqual([200, true])
    const part = await send(client, get('/videos/a', { range: 'bytes=1000000-1999999' }))
    expect([part.status, part.body.equals(BYTES.subarray(1_000_000, 2_000_000))]).toEqual([206, true])
    const several = await send(client, get('/videos/a', { range: 'bytes=0-9,100-109' }))
    expect([several.status, several.fields['content-type']]).toEqual([
      206,
      expect.stringMatching(/^multipart\/byteranges/),
    ])
    const { etag = '' } = full.fields
    expect((await send(client, get('/videos/a', { 'if-none-match': etag }))).status).toBe(304)
    expect((await send(client, get('/videos/a', { range: 'bytes=9000000-' }))).status).toBe(416)
    expect((await send(client, get('/videos/a', { range: 'bytes=0-1', 'if-range': '"x"' }))).status).toBe(200)
    const head = await send(client, { method: 'HEAD', path: '/videos/a' })
    expect([head.status, head.fields['content-length'], head.body.length]).toEqual([200, '3000000', 0])
    expect((await send(client, get('/assets/video/sample.mp4', { range: 'bytes=4-7' }))).body).toEqual(
      Buffer.from('ftyp'),
    )
    expect((await send(client, get('/', { accept: 'text/html' }))).fields['content-type']).toMatch(/html/)
  })

  it('HTTP/1.1 is spoken on the same port', async () => {
    const { url, certificate } = await start()
    const request = httpsRequest(`${url}/healthz`, { ca: certificate.ca }).end()
    const [response] = await once(request, 'response')
    expect([response.httpVersion, response.statusCode]).toEqual(['1.1', 200])
    response.resume()
  })

  it('content without a declared length is accepted up to the limit', async () => {
    const { client, data } = await start('--max-file-size', '1MiB')
    expect((await send(client, put('/videos/a', BYTES.subarray(0, 500), { announced: null }))).status).toBe(
      201,
    )
    expect((await send(client, put('/videos/b', BYTES, { announced: null }))).status).toBe(413)
    await expect.poll(() => readdir(join(data, 'staging'))).toEqual([])
  })

  it('a request that waits for 100 gets it, or the refusal in its place', async () => {
    const { client } = await start('--max-file-size', '1MiB')
    const fields = { expect: '100-continue' }
    const taken = await send(client, put('/videos/a', BYTES.subarray(0, 500), { fields }))
    expect([taken.status, taken.interims.map(({ status }) => status)]).toEqual([201, [100]])
    const refused = client.open({ method: 'PUT', path: '/videos/b', fields, announced: BYTES.length })
    const answer = await refused.outcome
    expect([answer?.status, answer?.interims]).toEqual([413, []])
  })

  it('a refusal in mid-upload ends its stream, and no other', async () => {
    const { client, server } = await start('--max-file-size', '1MiB')
    const refused = client.open({ method: 'PUT', path: '/videos/a', announced: BYTES.length })
    refused.write(BYTES.subarray(0, 100_000))
    expect((await refused.outcome)?.status).toBe(413)
    expect((await send(client, get('/healthz'))).status).toBe(200)
    expect((await server.stop()).stderr).not.toContain('"level":50')
  })

  it.each([BYTES.length, null])(
    'an upload that is cut off leaves nothing (announced: %s)',
    async (announced) => {
      const { client, data, server } = await start()
      const upload = client.open({ method: 'PUT', path: '/videos/a', announced })
      upload.write(BYTES.subarray(0, 1_000_000))
      await expect.poll(() => readdir(join(data, 'staging'))).not.toEqual([])
      upload.cut()
      await expect.poll(() => readdir(join(data, 'staging'))).toEqual([])
      expect((await send(client, get('/videos/a'))).status).toBe(404)
      expect(await filesIn(join(data, 'blobs'))).toEqual([])
      expect((await server.stop()).stderr).not.toMatch(/"level":(?:40|50)/)
    },
  )

  it('an upload without a length whose client gives up and says so last leaves nothing', async () => {
    const { url, certificate, data, client } = await start()
    const session = connectHttp2(url, { ca: certificate.ca })
    const stream = session.request({ ':method': 'PUT', ':path': '/videos/a' })
    stream.on('error', () => {})
    stream.write(BYTES.subarray(0, 100_000))
    await expect.poll(() => readdir(join(data, 'staging'))).not.toEqual([])
    // The end of the content, and a reset right behind it.
    stream.close(8)
    await expect.poll(() => readdir(join(data, 'staging'))).toEqual([])
    expect((await send(client, get('/videos/a'))).status).toBe(404)
    session.destroy()
  })

  it('a resumable upload continues on another connection', async () => {
    const { client, url, certificate } = await start()
    const fields = { 'upload-complete': '?1', 'upload-draft-interop-version': '9' }
    const begun = client.open({ method: 'PUT', path: '/videos/a', fields, announced: BYTES.length })
    const interim = await begun.interim(({ fields }) => fields['location'] !== undefined)
    const path = new URL(interim?.fields['location'] ?? '', url).pathname
    begun.write(BYTES.subarray(0, 1_000_000))
    await begun.interim(({ fields }) => Number(fields['upload-offset']) > 0)
    client.close()
    const other = http2Client(Number(new URL(url).port), certificate.ca)
    onTestFinished(() => other.close())
    const version = { 'upload-draft-interop-version': '9' }
    const { fields: state } = await send(other, { method: 'HEAD', path, fields: version })
    const offset = Number(state['upload-offset'])
    const rest = {
      ...fields,
      'content-type': 'application/partial-upload',
      'upload-offset': String(offset),
    }
    const done = await send(other, { method: 'PATCH', path, fields: rest, body: BYTES.subarray(offset) })
    expect(done.status).toBe(201)
    expect((await send(other, get('/videos/a'))).body.equals(BYTES)).toBe(true)
  })

  it('tus is spoken, and a newer request of an upload ends the one before it and no other', async () => {
    const { client, data } = await start()
    const version = { 'tus-resumable': '1.0.0' }
    const name = Buffer.from('a').toString('base64')
    const created = await send(client, {
      method: 'POST',
      path: '/files',
      fields: { ...version, 'upload-length': String(BYTES.length), 'upload-metadata': `filename ${name}` },
    })
    expect(created.status).toBe(201)
    const path = created.fields['location'] ?? ''
    const patch = (offset: number) => ({
      method: 'PATCH',
      path,
      fields: {
        ...version,
        'content-type': 'application/offset+octet-stream',
        'upload-offset': String(offset),
      },
    })
    const stalled = client.open({ ...patch(0), announced: BYTES.length })
    stalled.write(BYTES.subarray(0, 1_000_000))
    // Asked for earlier, the offset would end it before its first byte.
    const part = join(data, 'staging', `${basename(path)}.part`)
    await expect.poll(async () => (await stat(part)).size).toBeGreaterThan(0)
    const { fields } = await send(client, { method: 'HEAD', path, fields: version })
    const offset = Number(fields['upload-offset'])
    expect(offset).toBeGreaterThan(0)
    stalled.cut()
    const done = await send(client, { ...patch(offset), body: BYTES.subarray(offset) })
    expect(done.status).toBe(204)
    expect((await send(client, get('/videos/a'))).body.equals(BYTES)).toBe(true)
  })

  it('clients that go away leave no descriptor open and no error in the log', async () => {
    const { client, server } = await start()
    await send(client, put('/videos/a', Buffer.concat(Array(5).fill(BYTES))))
    const descriptors = async () => (await readdir(`/proc/${server.child.pid}/fd`)).length
    const before = await descriptors()
    const downloads = Array.from({ length: 20 }, () => client.open(get('/videos/a')))
    await expect.poll(descriptors).toBeGreaterThan(before)
    for (const download of downloads) download.cut()
    await expect.poll(descriptors).toBeLessThanOrEqual(before)
    expect((await server.stop()).stderr).not.toMatch(/"level":(?:40|50)/)
  })

  it('another name than that of loopback is answered 421', async () => {
    const { client } = await start()
    expect((await send(client, get('/videos', { ':authority': 'evil.example' }))).status).toBe(421)
    expect((await send(client, get('/videos', { ':authority': 'localhost' }))).status).toBe(200)
  })

  it('workers answer, too', async () => {
    const { client } = await start('--workers', '2')
    expect((await send(client, put('/videos/a', BYTES))).status).toBe(201)
    expect((await send(client, get('/videos/a'))).body.equals(BYTES)).toBe(true)
  })

  it('SIGTERM lets streams finish, begins no new ones, and ends with 0', async () => {
    const { client, server } = await start()
    await send(client, put('/videos/a', Buffer.concat(Array(20).fill(BYTES))))
    const download = client.open(get('/videos/a'))
    const upload = client.open({ method: 'PUT', path: '/videos/b', announced: BYTES.length })
    upload.write(BYTES.subarray(0, 1_000_000))
    await new Promise((resolve) => setTimeout(resolve, 200))
    const stopped = server.stop()
    await new Promise((resolve) => setTimeout(resolve, 200))
    upload.write(BYTES.subarray(1_000_000))
    upload.end()
    expect((await upload.outcome)?.status).toBe(201)
    expect((await download.outcome)?.body.length).toBe(20 * BYTES.length)
    expect((await stopped).code).toBe(0)
  })

  const shown = async (url: string): Promise<PeerCertificate> => {
    const socket: TLSSocket = connectTls({ port: Number(new URL(url).port), rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const certificate = socket.getPeerCertificate()
    socket.destroy()
    return certificate
  }

  it.each(['1', '2'])(
    'SIGHUP changes the certificate, %s process(es), and a bad one changes nothing',
    async (count) => {
      const { url, server, certificate, client } = await start('--workers', count)
      const { fingerprint } = await shown(url)
      await makeCertificate(join(certificate.cert, '..'))
      expect((await shown(url)).fingerprint).toBe(fingerprint)
      server.child.kill('SIGHUP')
      await expect.poll(async () => (await shown(url)).fingerprint).not.toBe(fingerprint)
      await expect.poll(async () => (await shown(url)).fingerprint).not.toBe(fingerprint)
      const second = await shown(url)
      await writeFile(certificate.cert, 'none')
      server.child.kill('SIGHUP')
      await expect.poll(() => server.stderr).toContain('the certificate could not be reloaded')
      expect((await shown(url)).fingerprint).toBe(second.fingerprint)
      // What was open stays open.
      expect((await send(client, get('/healthz'))).status).toBe(200)
    },
  )

  it('an invalid certificate is reported in one line and exit 2', async () => {
    const { cert, key } = await makeCertificate()
    const other = await makeCertificate()
    const flags = [
      [['--tls-cert', cert], /^--tls-cert and --tls-key need each other\. Set both, or neither\.\n$/],
      [['--tls-cert', missingPath(), '--tls-key', key], /^--tls-cert cannot be read: .*\/missing-/],
      [['--tls-cert', cert, '--tls-key', other.key], /^--tls-cert .* are not a certificate and its key/],
    ] as const
    const data = await temporaryDirectory()
    for (const [tls, message] of flags) {
      const server = new ServerProcess(['--port', '0', '--data', data, ...tls])
      const { code, stderr } = await server.exited
      expect(stderr).toMatch(message)
      expect([code, stderr.trimEnd().split('\n').length]).toEqual([2, 1])
    }
  })
})

it('a slow stream of HTTP/2 is ended beside a lively one', async () => {
  const rules = { ...BODY_RULES, window: 600, grace: 200, idleTimeout: 600, interval: 20, minRate: 10_000 }
  const watch = bodyWatch(rules)
  const reasons: string[] = []
  const server = createServer((request, response) => {
    // As Koa has it.
    watch(request as unknown as Parameters<typeof watch>[0], (reason) => {
      reasons.push(`${request.url}: ${reason}`)
      response.end()
    })
    request.resume()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const [slow, lively] = ['/slow', '/lively'].map((path) =>
    session.request({ ':method': 'POST', ':path': path }).on('error', () => {}),
  )
  const timers = [
    setInterval(() => slow?.write('x'), 50),
    setInterval(() => lively?.write(Buffer.alloc(5000)), 50),
  ]
  onTestFinished(() => {
    for (const timer of timers) clearInterval(timer)
    session.destroy()
    server.close()
  })
  await expect.poll(() => reasons, { timeout: 5000 }).not.toEqual([])
  expect(reasons).toEqual([expect.stringMatching(/^\/slow: The body arrived at/)])
})
