import { execFile } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
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
    ['192.168.0.1', 421],
  ])('%s on loopback: %i', async (host, status) => {
    const { url } = await startApp()
    const answer = await exchange(url, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    expect(statusOf(answer)).toBe(status)
  })

  it('may be missing in HTTP/1.0', async () => {
    const { url } = await startApp()
    expect(statusOf(await exchange(url, 'GET /healthz HTTP/1.0\r\n\r\n'))).toBe(200)
  })

  it('may be any name behind a trusted proxy', async () => {
    const { url } = await startApp('--trust-proxy')
    const answer = await exchange(
      url,
      'GET /healthz HTTP/1.1\r\nHost: videos.example\r\nConnection: close\r\n\r\n',
    )
    expect(statusOf(answer)).toBe(200)
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
  ])('with %j: %i', async (headers, status) => {
    const { url } = await startApp()
    expect(await write(url, headers)).toBe(status)
  })

  it('from its own origin is taken', async () => {
    const { url } = await startApp()
    expect(await write(url, { origin: url, 'sec-fetch-site': 'same-origin' })).toBe(201)
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
