import { request } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createTraces } from '../../apps/server/src/observe/traces.ts'
import type { TracedRequest } from '../../apps/server/src/shared/traced-request.ts'
import { startApp } from '../support/app.ts'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const VIEW = 'abcdefghijklmnopqrstuv'

const seenBy = async (url: string, view = VIEW): Promise<TracedRequest[]> =>
  (await (await fetch(`${url}/requests?view=${view}`)).json()).requests

/** Not by fetch, which says no-cache where somebody sets a condition. */
function get(url: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { headers, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
      .on('error', reject)
      .end()
  })
}

describe('what a page may see of its requests', () => {
  it('is the status, the range and how much was sent, of requests with its own id', async () => {
    const { url } = await startApp()
    await fetch(`${url}/videos/a.bin`, { method: 'PUT', body: 'x'.repeat(10_000) })
    const etag = (await fetch(`${url}/videos/a.bin`)).headers.get('etag') ?? ''
    const file = `${url}/get_video_by_name/a.bin?view=${VIEW}`
    expect(await get(file)).toBe(200)
    expect(await get(file, { Range: 'bytes=4-7' })).toBe(206)
    expect(await get(file, { 'If-None-Match': etag })).toBe(304)
    expect(await get(file, { Range: 'bytes=99999-' })).toBe(416)
    expect(await get(`${url}/videos/none.bin?view=${VIEW}`)).toBe(404)
    expect(await get(`${url}/get_video_by_name/a.bin?view=${VIEW}-another`)).toBe(200)
    expect(await get(`${url}/?view=${VIEW}`)).toBe(200)
    await expect.poll(async () => (await seenBy(url)).every(({ state }) => state === 'sent')).toBe(true)
    const seen = await seenBy(url)
    expect(
      seen.map(({ method, status, range, contentRange }) => [method, status, range, contentRange]),
    ).toEqual([
      ['GET', 200, null, null],
      ['GET', 206, 'bytes=4-7', 'bytes 4-7/10000'],
      ['GET', 304, null, null],
      ['GET', 416, 'bytes=99999-', 'bytes */10000'],
      ['GET', 404, null, null],
    ])
    expect(seen[0]?.sent).toBeGreaterThan(10_000)
    expect(seen[1]?.sent).toBeLessThan(2000)
  })

  it('says of one that was cut off how much had gone', async () => {
    const { url } = await startApp()
    await fetch(`${url}/videos/b.bin`, { method: 'PUT', body: Buffer.alloc(30_000_000) })
    const leaving = request(`${url}/videos/b.bin?view=${VIEW}`, (response) => {
      response.once('data', () => leaving.destroy())
    }).on('error', () => {})
    leaving.end()
    await expect.poll(async () => (await seenBy(url))[0]?.state).toBe('stopped')
    expect((await seenBy(url))[0]?.sent).toBeLessThan(30_000_000)
  })

  it('is empty for an unused id, and 400 for an id that could be guessed', async () => {
    const { url } = await startApp()
    expect(await seenBy(url)).toEqual([])
    for (const view of ['', 'short', 'x'.repeat(65), 'abcdefghijklmnopqrstu/'])
      expect((await fetch(`${url}/requests?view=${view}`)).status).toBe(400)
  })

  it('is known to all workers', async () => {
    const data = await temporaryDirectory()
    const flags = ['--port', '0', '--data', data, '--accept', '*/*', '--workers', '2', '--log-level', 'error']
    const server = new ServerProcess(flags)
    onTestFinished(async () => void (await server.stop()))
    const url = await server.url()
    await fetch(`${url}/videos/c.bin`, { method: 'PUT', body: 'content' })
    for (let count = 0; count < 10; count++) await get(`${url}/videos/c.bin?view=${VIEW}`)
    // Each by a connection of its own, to whichever worker.
    for (let count = 0; count < 6; count++)
      await expect
        .poll(async () => {
          const response = await fetch(`${url}/requests?view=${VIEW}`, { headers: { Connection: 'close' } })
          const { requests }: { requests: TracedRequest[] } = await response.json()
          return [requests.length, new Set(requests.map(({ id }) => id.split('-')[0])).size]
        })
        .toEqual([10, 2])
  })
})

describe('the traces of a page', () => {
  const one = (id: number): TracedRequest => ({
    id: String(id),
    time: '',
    method: 'GET',
    status: 200,
    range: null,
    contentRange: null,
    state: 'sending',
    sent: null,
  })

  it('keep the last 50 requests, each in its latest state', () => {
    const traces = createTraces()
    for (let id = 0; id < 60; id++) traces.put('a', one(id))
    traces.put('a', { ...one(20), state: 'sent' })
    const kept = traces.list('a')
    expect(kept.length).toBe(50)
    expect(kept[0]?.id).toBe('10')
    expect(kept[10]).toMatchObject({ id: '20', state: 'sent' })
  })

  it('are removed when they have been unused for a minute, or when 200 other pages have some', () => {
    let time = 1
    const traces = createTraces(() => time)
    traces.put('a', one(1))
    traces.put('b', one(1))
    time = 50_000
    expect(traces.list('a').length).toBe(1)
    time = 100_000
    expect(traces.list('b')).toEqual([])
    expect(traces.list('a').length).toBe(1)
    for (let other = 0; other < 200; other++) traces.put(`other ${other}`, one(1))
    expect(traces.list('a')).toEqual([])
    expect(traces.list('other 0').length).toBe(1)
  })
})
