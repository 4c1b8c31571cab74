import { describe, expect, it } from 'vitest'
import { CountingServer } from '../support/server-work.ts'

const LIST = '/videos?limit=1000'

describe('a list of 100 videos', () => {
  it('opens no file and inspects at most two if nothing has changed, and is a 304 if the client has it', async () => {
    const server = await CountingServer.start('--log-level', 'silent')
    const get = (etag = '') =>
      fetch(new URL(LIST, server.url), { headers: { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' } })
    for (let number = 0; number < 100; number++) {
      const url = new URL(`/videos/${number}.mp4`, server.url)
      expect((await fetch(url, { method: 'PUT', body: String(number) })).status).toBe(201)
    }
    let etag = ''
    const list = async () => {
      const response = await get()
      etag = response.headers.get('ETag') ?? ''
      expect((await response.json()).items).toHaveLength(100)
    }
    // The list is read again as long as a change is so young that another may have the same time.
    let work = await server.during(list)
    // Once a second, the times of all shards are compared.
    for (let attempt = 0; work.opens + work.stats > 2 && attempt < 1000; attempt++)
      work = await server.during(list)
    expect(work.opens).toBe(0)
    const unchanged = await server.during(async () => expect((await get(etag)).status).toBe(304))
    expect(unchanged.opens).toBe(0)
    expect(work.stats).toBeLessThanOrEqual(2)
    expect((await fetch(new URL('/videos/5.mp4', server.url), { method: 'DELETE' })).status).toBe(204)
    const changed = await get(etag)
    expect(changed.status).toBe(200)
    expect((await changed.json()).items).toHaveLength(99)
  })
})
