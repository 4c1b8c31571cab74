import { execFile } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { loadConfig } from 'koa-range-server'
import { describe, expect, it } from 'vitest'
import { formWith, startApp } from '../support/app.ts'
import { exchange } from '../support/raw.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])

describe('the Host field', () => {
  it.each([
    ['127.0.0.1:8000', 200],
    ['localhost', 200],
    ['[::1]:8000', 200],
    ['demo.localhost:1', 200],
    ['evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['evil.example:8000', 421],
    ['127.0.0.1@evil.example', 421],
    ['evil.example/x.localhost', 421],
    ['a"<b>.localhost', 421],
    ['192.168.0.1', 200],
    ['[2001:db8::1]:8000', 200],
  ])('%s on loopback: %i', async (host, status) => {
    const { url } = await startApp()
    const answer = await exchange(url, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    expect(statusOf(answer)).toBe(status)
  })

  it('may be missing in HTTP/1.0', async () => {
    const { url } = await startApp()
    expect(statusOf(await exchange(url, 'GET /healthz HTTP/1.0\r\n\r\n'))).toBe(200)
  })

  const TOKEN = ['--token', 'correct-horse-battery']
  const NAMED = ['--allowed-hosts', 'Videos.example, other.example.']
  const PUBLIC = ['--host', '0.0.0.0', '--allow-anonymous']
  const PROXIED = ['--trust-proxy', '--allow-anonymous']

  it.each([
    // A page of a foreign site cannot send the token, so a rebound name gives it nothing.
    { flags: ['--trust-proxy', ...TOKEN], host: 'foreign.example', status: 200 },
    { flags: ['--host', '0.0.0.0', ...TOKEN], host: 'foreign.example', status: 200 },
    { flags: PUBLIC, host: 'foreign.example', status: 421 },
    { flags: PROXIED, host: 'foreign.example', status: 421 },
    { flags: PUBLIC, host: '192.0.2.1:8000', status: 200 },
    { flags: PUBLIC, host: 'localhost', status: 200 },
    { flags: [...PUBLIC, ...NAMED], host: 'foreign.example', status: 421 },
    { flags: [...PUBLIC, ...NAMED], host: 'videos.example', status: 200 },
    { flags: [...PUBLIC, ...NAMED], host: 'VIDEOS.EXAMPLE.:8000', status: 200 },
    { flags: [...PUBLIC, ...NAMED], host: 'a.videos.example', status: 421 },
    { flags: [...PUBLIC, ...NAMED], host: 'videos.example@foreign.example', status: 421 },
    { flags: [...PUBLIC, ...NAMED], host: '[2001:db8::7]', status: 200 },
    { flags: [...NAMED, ...TOKEN], host: 'other.example', status: 200 },
    { flags: ['--trust-proxy', ...NAMED, ...TOKEN], host: 'foreign.example', status: 421 },
  ])('$host gets $status from a server with $flags', async ({ flags, host, status }) => {
    const { url } = await startApp(...flags)
    const answer = await exchange(url, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    expect(statusOf(answer)).toBe(status)
  })

  it.each([
    ['videos.example', 200],
    ['foreign.example', 421],
    ['videos.example, proxy.internal', 200],
  ])('is replaced by X-Forwarded-Host: %s behind a trusted proxy (%i)', async (forwarded, status) => {
    const { url } = await startApp(...PROXIED, ...NAMED)
    const response = await fetch(`${url}/healthz`, { headers: { 'x-forwarded-host': forwarded } })
    expect(response.status).toBe(status)
  })

  it('of a foreign site changes nothing on a public server without a token', async () => {
    const { url, store } = await startApp(...PUBLIC)
    const put =
      'PUT /videos/a HTTP/1.1\r\nHost: foreign.example\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx'
    const answer = await exchange(url, put)
    expect(statusOf(answer)).toBe(421)
    expect(answer).toContain('foreign.example')
    expect(answer).toContain('--allowed-hosts')
    expect(await store.get('a')).toBeNull()
  })

  it.each(['https://videos.example', 'videos.example:8000', 'a b', 'videos..example'])(
    '--allowed-hosts refuses %j, which is not a host name',
    (value) => {
      expect(() => loadConfig(['--allowed-hosts', value], {})).toThrow(`--allowed-hosts ${value}`)
    },
  )

  it('--trust-proxy without a token needs --allow-anonymous, because the proxy makes the server public', () => {
    expect(() => loadConfig(['--trust-proxy'], {})).toThrow(
      '--trust-proxy lets every client of the proxy upload',
    )
    expect(loadConfig(PROXIED, {}).trustProxy).toBe(true)
  })
})

describe('a write', () => {
  const write = async (url: string, headers: Record<string, string>) => {
    const response = await fetch(`${url}/video`, {
      method: 'POST',
      headers,
      body: formWith('file', 'a', 'x'),
    })
    return response.status
  }

  it.each([
    [{}, 201],
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-origin' }, 201],
    // A form of our page under `Referrer-Policy: no-referrer`; only the browser can set Sec-Fetch-Site.
    [{ origin: 'null', 'sec-fetch-site': 'same-origin' }, 201],
    [{ origin: 'null', 'sec-fetch-site': 'same-site' }, 403],
    [{ origin: 'null', 'sec-fetch-site': 'cross-site' }, 403],
    [{ origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }, 403],
    [{ origin: 'about:blank' }, 403],
  ])('with %j: %i', async (headers, status) => {
    const { url } = await startApp()
    expect(await write(url, headers)).toBe(status)
  })

  it('from its own origin is taken', async () => {
    const { url } = await startApp()
    expect(await write(url, { origin: url, 'sec-fetch-site': 'same-origin' })).toBe(201)
  })

  it('is accepted from every spelling of its own origin', async () => {
    const { url } = await startApp()
    const { port } = new URL(url)
    expect(await write(url, { origin: `HTTP://127.0.0.1:${port}` })).toBe(201)
    expect(await write(url, { origin: `http://127.0.0.1:${Number(port) + 1}` })).toBe(403)
    expect(await write(url, { origin: `https://127.0.0.1:${port}` })).toBe(403)
    expect(await write(url, { origin: `${url}/path` })).toBe(403)
    expect(await write(url, { origin: `${url} ${url}` })).toBe(403)
  })

  it.each([
    [
      { 'x-forwarded-host': 'videos.example:443', 'x-forwarded-proto': 'https' },
      'https://videos.example',
      201,
    ],
    [{ 'x-forwarded-host': 'Videos.Example', 'x-forwarded-proto': 'https' }, 'https://videos.example', 201],
    [
      { 'x-forwarded-host': 'videos.example', 'x-forwarded-proto': 'https, http' },
      'https://videos.example',
      201,
    ],
    [
      { 'x-forwarded-host': 'videos.example, proxy.internal', 'x-forwarded-proto': 'https' },
      'https://videos.example',
      201,
    ],
    [{ 'x-forwarded-host': 'videos.example', 'x-forwarded-proto': 'HTTPS' }, 'https://videos.example', 201],
    [
      { 'x-forwarded-host': 'videos.example', 'x-forwarded-proto': 'https' },
      'https://videos.example:8443',
      403,
    ],
    [{ 'x-forwarded-host': 'videos.example', 'x-forwarded-proto': 'https' }, 'https://evil.example', 403],
    // A proxy that hides its port or its scheme; the browser has compared both.
    [
      { 'x-forwarded-host': 'videos.example', 'sec-fetch-site': 'same-origin' },
      'https://videos.example:8443',
      201,
    ],
  ])('with %j from %s is answered with %i behind a trusted proxy', async (headers, origin, status) => {
    const { url } = await startApp('--trust-proxy', '--allow-anonymous', '--allowed-hosts', 'videos.example')
    expect(await write(url, { ...headers, origin })).toBe(status)
  })

  it('from an origin of --cors-origin is taken, but * lets others only read', async () => {
    const named = await startApp('--cors-origin', 'https://a.example,https://b.example')
    expect(await write(named.url, { origin: 'https://b.example', 'sec-fetch-site': 'cross-site' })).toBe(201)
    expect(await write(named.url, { origin: 'https://c.example' })).toBe(403)
    const anyone = await startApp('--cors-origin', '*')
    expect(await write(anyone.url, { origin: 'https://b.example' })).toBe(403)
  })

  it('is refused by a read-only server, and reading is not', async () => {
    const { url } = await startApp('--read-only')
    expect(await write(url, {})).toBe(403)
    for (const path of ['/videos/a', '/uploads/a', '/files/a']) {
      expect((await fetch(`${url}${path}`, { method: 'DELETE' })).status).toBe(403)
    }
    expect((await fetch(`${url}/videos`)).status).toBe(200)
  })
})

describe('--cors-origin', () => {
  it('lets a player on that site see the fields of a range, on errors too', async () => {
    const { url, store } = await startApp('--cors-origin', 'https://player.example')
    await store.put('a', (await import('node:stream')).Readable.from([Buffer.from('hello')]))
    const headers = { origin: 'https://player.example', range: 'bytes=0-1' }
    const response = await fetch(`${url}/videos/a`, { headers })
    expect(response.status).toBe(206)
    expect(response.headers.get('access-control-allow-origin')).toBe('https://player.example')
    const exposed = response.headers.get('access-control-expose-headers')?.split(',')
    expect(exposed).toEqual(
      expect.arrayContaining(['Accept-Ranges', 'Content-Range', 'Content-Length', 'ETag']),
    )
    const missing = await fetch(`${url}/videos/b`, { headers })
    expect(missing.headers.get('access-control-allow-origin')).toBe('https://player.example')
    const other = await fetch(`${url}/videos/a`, { headers: { origin: 'https://other.example' } })
    expect(other.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('compares origins as origins: the default port and the case of letters do not matter', async () => {
    const { url } = await startApp('--cors-origin', 'https://player.example')
    for (const origin of ['https://player.example:443', 'HTTPS://Player.example']) {
      const response = await fetch(`${url}/videos`, { headers: { origin } })
      expect(response.headers.get('access-control-allow-origin')).toBe(origin)
    }
  })
})

describe('the gate before koa-static', () => {
  it('lets neither FIFOs nor links out of the root nor directories through', async () => {
    const directory = await temporaryDirectory()
    const assets = join(directory, 'assets')
    await mkdir(assets)
    await writeFile(join(directory, 'secret'), 'secret')
    await writeFile(join(assets, 'inside.txt'), 'inside')
    await symlink(join(directory, 'secret'), join(assets, 'out'))
    await symlink(join(assets, 'inside.txt'), join(assets, 'in'))
    await promisify(execFile)('mkfifo', [join(assets, 'fifo')])
    const { url } = await startApp('--assets', assets)
    const statuses = await Promise.all(
      ['fifo', 'fifo', 'fifo', 'fifo', 'fifo', 'out', '.', 'none'].map(
        async (name) => (await fetch(`${url}/assets/${name}`)).status,
      ),
    )
    expect(statuses).toEqual([404, 404, 404, 404, 404, 404, 404, 404])
    expect(await (await fetch(`${url}/assets/in`)).text()).toBe('inside')
  })
})
