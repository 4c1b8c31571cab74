import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFsStore, type UploadSession, type UploadStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { formWith } from '../support/app.ts'
import { append, begin, locationOf } from '../support/resumable.ts'
import { CountingServer, type Work } from '../support/server-work.ts'
import { source } from '../upload-store/contract.ts'

const SIZE = 100_000

/** The smallest of each count, because the server may do other work beside the request. */
function least(works: readonly Work[]): Work {
  const of = (kind: keyof Work) => Math.min(...works.map((work) => work[kind]))
  const [promises, opens, links, flushes] = [of('promises'), of('opens'), of('links'), of('flushes')]
  return { promises, opens, links, flushes, stats: of('stats'), statfs: of('statfs') }
}

async function expectOk(response: Promise<Response>): Promise<void> {
  const { ok, status } = await response
  if (!ok) throw new Error(`The server answered ${status}.`)
}

/** Sends the first append of an upload of unknown length. Resolves to the upload's URL. */
async function beginByTus(url: string): Promise<string> {
  const headers = { 'Tus-Resumable': '1.0.0', 'Upload-Defer-Length': '1' }
  const { headers: created } = await fetch(`${url}/files`, { method: 'POST', headers })
  const location = new URL(created.get('location') ?? '', url).href
  await expectOk(appendByTus(location, 0))
  return location
}

function appendByTus(location: string, offset: number): Promise<Response> {
  const headers = {
    'Tus-Resumable': '1.0.0',
    'Content-Type': 'application/offset+octet-stream',
    'Upload-Offset': String(offset),
  }
  return fetch(location, { method: 'PATCH', headers, body: randomBytes(SIZE) })
}

describe('an upload of 100 kB', () => {
  it.each<
    [
      string,
      (url: string) => Promise<string>,
      (url: string, location: string, offset: number) => Promise<Response>,
    ]
  >([
    [
      'the draft',
      async (url) => locationOf(await begin(url, 'POST', '/uploads', randomBytes(SIZE))),
      (url, location, offset) => append(url, location, offset, randomBytes(SIZE), false),
    ],
    ['tus', beginByTus, (_url, location, offset) => appendByTus(location, offset)],
  ])('takes one lock, no read of the manifest and two flushes as an append by %s', async (_, start, send) => {
    const server = await CountingServer.start('--log-level', 'silent')
    const location = await start(server.url)
    const works: Work[] = []
    for (let number = 1; number <= 5; number++)
      works.push(await server.during(() => expectOk(send(server.url, location, number * SIZE))))
    const work = least(works)
    expect(work.opens).toBe(0)
    expect(work.links).toBe(2)
    // Of the data, and of the offset: after a power cut, the length of a file tells nothing of its bytes.
    expect(work.flushes).toBe(2)
    expect(work.statfs).toBeLessThanOrEqual(1)
    expect(work.promises).toBeLessThanOrEqual(340)
  })

  it.each<[string, (url: string, number: number) => Promise<Response>]>([
    [
      'form',
      (url, number) => {
        const body = formWith('file', `${number}.mp4`, randomBytes(SIZE))
        return fetch(`${url}/video`, { method: 'POST', headers: { Accept: 'application/json' }, body })
      },
    ],
    [
      'PUT',
      (url, number) => fetch(`${url}/videos/${number}.mp4`, { method: 'PUT', body: randomBytes(SIZE) }),
    ],
  ])('takes one look at the free space and four flushes as a %s', async (_, send) => {
    const server = await CountingServer.start('--log-level', 'silent')
    const works: Work[] = []
    for (let number = 1; number <= 5; number++)
      works.push(await server.during(() => expectOk(send(server.url, number))))
    const work = least(works)
    // Of the bytes, the record, and the names of both.
    expect(work.flushes).toBe(4)
    expect(work.statfs).toBeLessThanOrEqual(1)
    expect(work.opens).toBeLessThanOrEqual(5)
    // The blob and its digest, the lock of the key twice, and the removed part.
    expect(work.links).toBeLessThanOrEqual(5)
    expect(work.promises).toBeLessThanOrEqual(600)
  })

  it('does not look at 5,000 unfinished uploads for each PUT, although --max-total-size counts their bytes', async () => {
    const server = await CountingServer.startOn(
      (data) => makeUnfinished(data, 5000),
      ...['--max-total-size', '1GiB', '--log-level', 'silent'],
    )
    const put = (number: number) =>
      expectOk(fetch(`${server.url}/videos/${number}.mp4`, { method: 'PUT', body: randomBytes(SIZE) }))
    await put(0)
    const works: Work[] = []
    for (let number = 1; number <= 10; number++) works.push(await server.during(() => put(number)))
    // 256 folders of blobs are looked at when an upload begins, and when its first bytes arrive.
    expect(least(works).stats).toBeLessThan(1000)
  })
})

/** Makes uploads that a client has begun and not ended. Copies one, because 5,000 requests would take a minute. */
async function makeUnfinished(data: string, count: number): Promise<void> {
  const store = createFsStore(data)
  const { id } = await beginUpload(store)
  await store.close()
  const staging = join(data, 'staging')
  const [part, manifest] = [
    readFileSync(join(staging, `${id}.part`)),
    readFileSync(join(staging, `${id}.json`)),
  ]
  for (let number = 0; number < count; number++) {
    const name = join(staging, String(number).padStart(22, '0'))
    writeFileSync(`${name}.part`, part)
    writeFileSync(`${name}.json`, manifest)
  }
}

async function beginUpload(store: UploadStore): Promise<UploadSession> {
  const session = await store.createUpload('begun.mp4')
  await session.append(0, source('begun'))
  await session.pause()
  return session
}
