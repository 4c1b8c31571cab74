import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parsePrometheus, sumOf } from '../soak/dist/prometheus.js'
import { exchange } from '../support/raw.ts'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { childrenOf } from '../support/workers.ts'

interface Started {
  readonly server: ServerProcess
  readonly url: string
}

async function start(...flags: readonly string[]): Promise<Started> {
  const data = await temporaryDirectory()
  const server = new ServerProcess(['--port', '0', '--data', data, '--accept', '*/*', ...flags])
  onTestFinished(async () => {
    const workers = await childrenOf(server.child.pid)
    await server.stop('SIGKILL')
    for (const pid of workers) killIfThere(pid)
  })
  return { server, url: await server.url() }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended with the first process.
  }
}

async function metricsOf(url: string) {
  const response = await fetch(`${url}/metrics`)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  return parsePrometheus(await response.text())
}

/** On a connection of its own, as round-robin gives each to another worker. */
const ask = (url: string, head: string, body = '') =>
  exchange(url, `${head}\r\nHost: localhost\r\nConnection: close\r\n\r\n${body}`)

const put = (url: string, key: string, body: string) =>
  ask(url, `PUT /videos/${key} HTTP/1.1\r\nContent-Length: ${body.length}`, body)

describe.each(['1', '3'])('/metrics, %s process(es)', (workers) => {
  it('counts requests by route and status, bytes, aborts and uploads, and sums over all', async () => {
    const { url } = await start('--workers', workers, '--max-file-size', '6MiB')
    const body = 'x'.repeat(5_000_000)
    for (let i = 0; i < 6; i++) expect(await put(url, `v${i}`, body)).toContain('201 Created')
    for (let i = 0; i < 3; i++) await ask(url, `GET /videos/v0 HTTP/1.1\r\nRange: bytes=0-9`)
    await ask(url, 'GET /videos/v0 HTTP/1.1\r\nRange: bytes=9999999-')
    expect(await ask(url, 'PUT /videos/w HTTP/1.1\r\nContent-Length: 9000000')).toContain('413')
    await abortedDownload(url)
    await expect
      .poll(async () => sumOf(await metricsOf(url), 'http_request_aborts_total', { route: '/videos/:key' }))
      .toBe(1)
    const metrics = await metricsOf(url)
    const requests = (status: string, method = 'GET') =>
      sumOf(metrics, 'http_requests_total', { route: '/videos/:key', status, method })
    expect([requests('201', 'PUT'), requests('413', 'PUT'), requests('206'), requests('416')]).toEqual([
      6, 1, 3, 1,
    ])
    const uploads = (outcome: string) => sumOf(metrics, 'uploads_total', { outcome })
    expect([uploads('committed'), uploads('refused'), uploads('aborted')]).toEqual([6, 1, 0])
    expect(sumOf(metrics, 'uploads_in_progress')).toBe(0)
    expect(sumOf(metrics, 'http_received_bytes_total')).toBeGreaterThan(30_000_000)
    expect(sumOf(metrics, 'http_received_bytes_total')).toBeLessThan(30_100_000)
    expect(sumOf(metrics, 'http_sent_bytes_total')).toBeGreaterThan(10_000)
    const infinite = { route: '/videos/:key', le: '+Inf' }
    expect(sumOf(metrics, 'http_request_duration_seconds', infinite)).toBe(12)
    for (const name of [
      'process_open_fds',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
    ])
      expect(sumOf(metrics, name), name).toBeGreaterThan(0)
  })
})

/** Takes the beginning of a video and leaves. */
async function abortedDownload(url: string): Promise<void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write('GET /videos/v0 HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await new Promise((resolve) => socket.once('data', resolve))
  socket.destroy()
}

describe('/metrics', () => {
  it('shows an upload while it is under way, and one that was aborted after', async () => {
    const { url } = await start()
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write('PUT /videos/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\npartial')
    await expect.poll(async () => sumOf(await metricsOf(url), 'uploads_in_progress')).toBe(1)
    socket.destroy()
    await expect.poll(async () => sumOf(await metricsOf(url), 'uploads_in_progress')).toBe(0)
    expect(sumOf(await metricsOf(url), 'uploads_total', { outcome: 'aborted' })).toBe(1)
  })

  it('counts an upload in two parts once', async () => {
    const { url } = await start()
    const headers = { 'upload-complete': '?0', 'upload-draft-interop-version': '9' }
    const begun = await fetch(`${url}/videos/a`, { method: 'PUT', headers, body: 'hello ' })
    const more = {
      ...headers,
      'upload-complete': '?1',
      'upload-offset': '6',
      'content-type': 'application/partial-upload',
    }
    const upload = new URL(begun.headers.get('location') ?? '', url)
    expect((await fetch(upload, { method: 'PATCH', headers: more, body: 'world' })).status).toBe(201)
    expect(sumOf(await metricsOf(url), 'uploads_total')).toBe(1)
  })

  it('has no more series after any number of paths and methods', async () => {
    const { url } = await start()
    const series = async () => (await metricsOf(url)).get('http_requests_total')?.samples.length ?? 0
    const ask20 = async (prefix: string) => {
      for (let i = 0; i < 20; i++) {
        await fetch(`${url}${prefix}${i}`)
        await fetch(`${url}/videos/${i}`, { method: 'DELETE' })
        await fetch(`${url}/videos/x/${i}/y`, { method: 'PROPFIND' })
        await ask(url, `GET http://x${i}/constructor HTTP/1.0`)
      }
    }
    await ask20('/first')
    await series()
    const before = await series()
    await ask20('/second')
    expect(await series()).toBe(before)
  })

  it('counts each of many requests once, however often it is read meanwhile', async () => {
    const { url } = await start()
    for (let sent = 0; sent < 600; sent += 200) {
      await Promise.all(Array.from({ length: 200 }, async () => (await fetch(`${url}/healthz`)).text()))
      const counts = async () => {
        const metrics = await metricsOf(url)
        const labels = { route: '/healthz' }
        return [
          sumOf(metrics, 'http_requests_total', { ...labels, method: 'GET', status: '200' }),
          sumOf(metrics, 'http_request_duration_seconds', { ...labels, le: '+Inf' }),
        ]
      }
      await expect.poll(counts).toEqual([sent + 200, sent + 200])
    }
  })

  it('needs the token under --private', async () => {
    const { url } = await start('--token', 'long-enough', '--private')
    expect((await fetch(`${url}/metrics`)).status).toBe(401)
    const headers = { authorization: 'Bearer long-enough' }
    expect((await fetch(`${url}/metrics`, { headers })).status).toBe(200)
  })
})

describe('the parser of these tests', () => {
  const family = '# HELP a b\n# TYPE a counter\n'
  it.each([
    ['a 1\n', /none of/],
    [`${family}a 1`, /does not end/],
    [`${family}a 1\na 2\n`, /came before/],
    [`${family}a{x="1} 2\n`, /no sample/],
    [`${family}a -1\n`, /below 0/],
    [`${family}b 1\n`, /none of a/],
    [`${family}a 1\n${family}`, /one already/],
    ['# TYPE a counter\n', /no HELP/],
    [
      '# HELP h b\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
      /add up/,
    ],
  ])('refuses %j', (text, message) => {
    expect(() => parsePrometheus(text)).toThrow(message)
  })
})
