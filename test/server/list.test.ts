import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { startApp } from '../support/app.ts'
import { REPOSITORY, ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'

let base = ''

interface Listed {
  readonly items: readonly { readonly key: string; readonly metadata: object }[]
  readonly cursor: string | null
  readonly total: { readonly count: number; readonly size: number } | null
}

const ask = (query: string, headers: Record<string, string> = {}) =>
  fetch(`${base}/videos?${query}`, { headers })

async function list(query: string): Promise<Listed> {
  const response = await ask(query)
  expect(response.status).toBe(200)
  return (await response.json()) as Listed
}

const keys = async (query: string) => (await list(query)).items.map(({ key }) => key)

async function put(key: string, body: BodyInit): Promise<number> {
  const response = await fetch(`${base}/videos/${encodeURIComponent(key)}`, { method: 'PUT', body })
  await response.arrayBuffer()
  return response.status
}

async function fill(): Promise<void> {
  const { url, store } = await startApp()
  base = url
  const dated: [string, string, number][] = [
    ['Die Fähre.mp4', 'aaa', 2],
    ['ferry.mp4', 'a', 3],
    ['A lecture about FERRIES.mp4', 'aa', 1],
  ]
  for (const [key, body, day] of dated) {
    const source = (async function* () {
      yield Buffer.from(body)
    })()
    await store.put(key, source, { lastModified: Date.UTC(2026, 0, day), metadata: { day } })
  }
  expect(await put('ferry.mp4.de.vtt', 'WEBVTT\n')).toBe(201)
}

describe('GET /videos', () => {
  beforeEach(fill)

  it('lists the newest or the largest objects first', async () => {
    expect(await keys('order=newest')).toEqual(['ferry.mp4', 'Die Fähre.mp4', 'A lecture about FERRIES.mp4'])
    expect(await keys('order=largest')).toEqual(['Die Fähre.mp4', 'A lecture about FERRIES.mp4', 'ferry.mp4'])
    expect(await keys('')).toEqual(['A lecture about FERRIES.mp4', 'Die Fähre.mp4', 'ferry.mp4'])
  })

  it('continues a page in its order, and counts all pages', async () => {
    const { items, cursor, total } = await list('order=newest&limit=1')
    expect([items.length, total]).toEqual([1, { count: 3, size: 6 }])
    expect(await keys(`order=newest&cursor=${cursor}`)).toEqual([
      'Die Fähre.mp4',
      'A lecture about FERRIES.mp4',
    ])
  })

  it('finds parts of names without regard to case and accents', async () => {
    expect(await keys('contains=ferr')).toEqual(['A lecture about FERRIES.mp4', 'ferry.mp4'])
    expect(await keys('contains=FAHRE')).toEqual(['Die Fähre.mp4'])
    expect(await keys(`contains=${encodeURIComponent('a\u0308hre')}`)).toEqual(['Die Fähre.mp4'])
    expect((await list('contains=nothing')).total).toEqual({ count: 0, size: 0 })
  })

  it('lists companions only on demand', async () => {
    expect(await keys('companions=1&prefix=ferry')).toEqual(['ferry.mp4', 'ferry.mp4.de.vtt'])
    expect(await keys('companions=0&prefix=ferry')).toEqual(['ferry.mp4'])
    expect((await list('companions=1')).total?.count).toBe(4)
  })

  it('gives the metadata of each object', async () => {
    expect((await list('prefix=ferry')).items.map(({ metadata }) => metadata)).toEqual([{ day: 3 }])
  })

  it.each([
    ['order=date', /order=date is not an order\. Use one of key, name, newest, largest\./],
    ['companions=yes', /companions=yes is neither 0 nor 1/],
    ['limit=0', /limit=0/],
  ])('answers 400 to %s, with the rule', async (query, detail) => {
    const response = await ask(query)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ detail: expect.stringMatching(detail) })
  })

  it('answers 304 to the same query, and 200 to another one', async () => {
    const etag = (await ask('order=newest')).headers.get('etag') ?? ''
    // Without it, fetch asks for a new copy.
    const headers = { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' }
    expect((await ask('order=newest', headers)).status).toBe(304)
    expect((await ask('order=largest', headers)).status).toBe(200)
  })

  it('shows a replaced object in its new place at once', async () => {
    expect(await put('A lecture about FERRIES.mp4', 'longer')).toBe(200)
    expect((await keys('order=newest'))[0]).toBe('A lecture about FERRIES.mp4')
    expect((await keys('order=largest'))[0]).toBe('A lecture about FERRIES.mp4')
  })
})

describe('companions', () => {
  it('are accepted beside a video only, whatever the server accepts, and deleted with it', async () => {
    const server = new ServerProcess([
      '--port',
      '0',
      '--accept',
      'video/*',
      '--data',
      await temporaryDirectory(),
    ])
    onTestFinished(async () => void (await server.stop('SIGKILL')))
    base = await server.url()
    const video = await readFile(join(REPOSITORY, 'apps/server/assets/video/sample.mp4'))
    const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000ffdb', 'hex')
    expect(await put('a.mp4.poster.jpg', jpeg)).toBe(415)
    expect(await put('a.mp4', video)).toBe(201)
    expect(await put('a.mp4.poster.jpg', jpeg)).toBe(201)
    expect(await put('a.mp4.vtt', 'WEBVTT\n')).toBe(201)
    expect(await put('a.jpg', jpeg)).toBe(415)
    expect(await put('b.mp4.vtt', 'WEBVTT\n')).toBe(415)
    const poster = await fetch(`${base}/videos/a.mp4.poster.jpg`)
    expect([poster.status, poster.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
    expect(poster.headers.get('content-disposition') ?? 'inline').toMatch(/^inline/)
    expect((await fetch(`${base}/videos/a.mp4`, { method: 'DELETE' })).status).toBe(204)
    expect((await fetch(`${base}/videos/a.mp4.poster.jpg`)).status).toBe(404)
    expect(await keys('companions=1')).toEqual([])
  })
})
