import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { type ClientRequest, request } from 'node:http'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { startProxy } from '../support/proxy.ts'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { describeWith } from '../support/tools.ts'

/** More than any buffer of theirs, or of the connections. */
const LARGE = randomBytes(24_000_000)

interface Proxied {
  readonly server: ServerProcess
  /** Of the proxy. */
  readonly url: string
  readonly data: string
  /** Where the proxy may write. */
  readonly home: string
}

async function start(kind: 'nginx' | 'caddy', example: string): Promise<Proxied> {
  const data = join(await temporaryDirectory(), 'data')
  const server = new ServerProcess([
    '--port',
    '0',
    '--data',
    data,
    '--accept',
    '*/*',
    '--trust-proxy',
    '--allow-anonymous',
  ])
  onTestFinished(async () => void (await server.stop('SIGKILL')))
  return { server, data, ...(await startProxy(kind, example, [await server.url()])) }
}

describeWith(['nginx'], 'behind nginx, by docs/examples/nginx.conf', () =>
  behaves(() => start('nginx', 'nginx.conf')),
)

describeWith(['caddy'], 'behind Caddy, by docs/examples/Caddyfile', () => {
  const startCaddy = () => start('caddy', 'Caddyfile')
  behaves(startCaddy)

  it('the URL of an upload is known while its first request is under way', async () => {
    const { url } = await startCaddy()
    const headers = {
      'upload-draft-interop-version': '9',
      'upload-complete': '?1',
      'content-length': LARGE.length,
    }
    const begun = request(`${url}/videos/a`, { method: 'PUT', headers }).on('error', () => {})
    begun.write(LARGE.subarray(0, 100_000))
    const [{ statusCode, headers: told }] = await once(begun, 'information')
    expect([statusCode, told.location]).toEqual([104, expect.stringMatching(/^\/uploads\//)])
    begun.destroy()
  })
})

function behaves(startProxy: () => Promise<Proxied>): void {
  it('ranges and preconditions pass', async () => {
    const { url } = await startProxy()
    const stored = await fetch(`${url}/videos/a`, { method: 'PUT', body: new Uint8Array(LARGE) })
    expect(await stored.json()).toMatchObject({ video_url: `${url}/get_video_by_name/a` })
    const get = (headers: Record<string, string>) => fetch(`${url}/videos/a`, { headers })
    const etag = stored.headers.get('etag') ?? ''
    const part = await get({ range: 'bytes=1000000-1000999' })
    expect(part.status).toBe(206)
    expect(Buffer.from(await part.arrayBuffer()).equals(LARGE.subarray(1_000_000, 1_001_000))).toBe(true)
    const several = await get({ range: 'bytes=0-9,100-109' })
    expect([several.status, several.headers.get('content-type')]).toEqual([
      206,
      expect.stringMatching(/^multipart\/byteranges/),
    ])
    const statuses = [
      await get({ 'if-none-match': etag }),
      await get({ range: 'bytes=99999999-' }),
      await get({ range: 'bytes=0-9', 'if-range': etag }),
      await get({ range: 'bytes=0-9', 'if-range': '"other"' }),
      await get({ 'if-match': '"other"' }),
    ].map(({ status }) => status)
    expect(statuses).toEqual([304, 416, 206, 200, 412])
  })

  it('an upload arrives while it is sent, and lies nowhere else', async () => {
    const { url, data, home } = await startProxy()
    const length = { 'content-length': LARGE.length }
    const upload = request(`${url}/videos/a`, { method: 'PUT', headers: length })
    const half = LARGE.length / 2
    upload.write(LARGE.subarray(0, half))
    // All but what sockets and buffers hold.
    await expect
      .poll(() => bytesIn(join(data, 'staging')), { timeout: 10_000 })
      .toBeGreaterThan(half - 4_000_000)
    expect(await bytesIn(join(home, 'tmp'))).toBe(0)
    upload.end(LARGE.subarray(half))
    expect(await statusOf(upload)).toBe(201)
    const back = await fetch(`${url}/videos/a`)
    expect(Buffer.from(await back.arrayBuffer()).equals(LARGE)).toBe(true)
  })

  it('an upload without a declared length arrives too, and a cut one leaves nothing', async () => {
    const { url, data } = await startProxy()
    const upload = request(`${url}/videos/a`, { method: 'PUT' })
    upload.write(LARGE.subarray(0, 5_000_000))
    upload.end(LARGE.subarray(5_000_000))
    expect(await statusOf(upload)).toBe(201)
    const cut = request(`${url}/videos/b`, { method: 'PUT' }).on('error', () => {})
    cut.write(LARGE.subarray(0, 5_000_000))
    await expect.poll(() => bytesIn(join(data, 'staging'))).toBeGreaterThan(0)
    cut.destroy()
    await expect.poll(() => bytesIn(join(data, 'staging'))).toBe(0)
    expect((await fetch(`${url}/videos/b`)).status).toBe(404)
  })

  it('an upload that is cut off can be resumed', async () => {
    const { url, data } = await startProxy()
    const version = { 'upload-draft-interop-version': '9' }
    const headers = { ...version, 'upload-complete': '?0' }
    const { headers: told } = await fetch(`${url}/videos/a`, { method: 'PUT', headers })
    const upload = new URL(told.get('location') ?? '', url)
    const append = (offset: number) => ({
      ...version,
      'upload-complete': '?1',
      'upload-offset': String(offset),
      'content-type': 'application/partial-upload',
    })
    const length = { 'content-length': LARGE.length }
    const cut = request(upload, { method: 'PATCH', headers: { ...append(0), ...length } })
    cut.on('error', () => {}).write(LARGE.subarray(0, 8_000_000))
    await expect.poll(() => bytesIn(join(data, 'staging')), { timeout: 10_000 }).toBeGreaterThan(2_000_000)
    cut.destroy()
    const state = await fetch(upload, { method: 'HEAD', headers: version })
    const offset = Number(state.headers.get('upload-offset'))
    expect(offset).toBeGreaterThan(2_000_000)
    const body = new Uint8Array(LARGE.subarray(offset))
    expect((await fetch(upload, { method: 'PATCH', headers: append(offset), body })).status).toBe(201)
    // On the same connection as the upload, where that is kept.
    const back = await fetch(`${url}/videos/a`)
    expect(Buffer.from(await back.arrayBuffer()).equals(LARGE)).toBe(true)
  })

  it('the log has the client and the id that the proxy gave, not what the client claims', async () => {
    const { url, server } = await startProxy()
    const headers = { 'x-forwarded-for': '192.0.2.66', 'x-request-id': 'claimed' }
    const { headers: answered } = await fetch(`${url}/videos/none`, { headers })
    const { stderr } = await server.stop()
    const line = JSON.parse(stderr.split('\n').find((each) => each.includes('/videos/none')) ?? '')
    expect(line.ip).toMatch(/^(?:::ffff:)?127\.0\.0\.1$/)
    expect(line.id).toMatch(/^[\da-f-]{32,36}$/)
    expect(answered.get('x-request-id')).toBe(line.id)
  })

  it('a form of the page is taken, and one of another site is not', async () => {
    const { url } = await startProxy()
    const post = async (origin: string) => {
      const body = new FormData()
      body.append('file', new Blob(['x']), 'a')
      return (await fetch(`${url}/video`, { method: 'POST', body, headers: { origin } })).status
    }
    expect([await post(url), await post('http://evil.example')]).toEqual([201, 403])
  })
}

async function statusOf(sent: ClientRequest): Promise<number> {
  const [response] = await once(sent, 'response')
  response.resume()
  return response.statusCode
}

async function bytesIn(directory: string): Promise<number> {
  await mkdir(directory, { recursive: true })
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.json'))
  const sizes = files.map(
    async ({ parentPath, name }) => (await stat(join(parentPath, name)).catch(() => ({ size: 0 }))).size,
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
