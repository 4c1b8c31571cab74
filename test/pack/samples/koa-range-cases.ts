import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Koa from 'koa'
import serveStatic from 'koa-static'
import staticCache from 'koa-static-cache'

const CONTENT = '0123456789'

/** A folder with one file, `a.txt`, long enough unchanged to have a strong entity-tag. */
export async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = resolve(await mkdtemp('files-'))
  await writeFile(join(folder, 'a.txt'), CONTENT)
  await delay(100)
  try {
    await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Checks the responses that koa-range gets wrong, and those that it gets right. */
export async function checkResponses(url: string): Promise<void> {
  const whole = await fetch(url)
  assert.equal(await whole.text(), CONTENT)
  const etag = whole.headers.get('etag') ?? (await partOf(url)).headers.get('etag') ?? ''
  assert.match(etag, /^"/)
  const cases: readonly (readonly [
    headers: Record<string, string>,
    status: number,
    range: string | null,
    text: string,
  ])[] = [
    [{ range: 'bytes=2-4' }, 206, 'bytes 2-4/10', '234'],
    [{ range: 'bytes=7-' }, 206, 'bytes 7-9/10', '789'],
    [{ range: 'bytes=-3' }, 206, 'bytes 7-9/10', '789'],
    [{ range: 'bytes=8-99' }, 206, 'bytes 8-9/10', '89'],
    [{ range: 'bytes=10-' }, 416, 'bytes */10', ''],
    [{ 'if-none-match': etag }, 304, null, ''],
    [{ 'if-none-match': etag, range: 'bytes=2-4' }, 304, null, ''],
    [{ 'if-match': '"other"', range: 'bytes=2-4' }, 412, null, ''],
    [{ 'if-range': etag, range: 'bytes=2-4' }, 206, 'bytes 2-4/10', '234'],
    [{ 'if-range': '"other"', range: 'bytes=2-4' }, 200, null, CONTENT],
  ]
  for (const [headers, status, range, text] of cases) {
    const response = await fetch(url, { headers })
    const body = await response.text()
    const found = [response.status, response.headers.get('content-range'), status < 300 ? body : '']
    assert.deepEqual(found, [status, range, text], `${url} ${JSON.stringify(headers)}`)
  }
}

async function partOf(url: string): Promise<Response> {
  const response = await fetch(url, { headers: { range: 'bytes=0-0' } })
  await response.arrayBuffer()
  return response
}

/** Checks a middleware in place of koa-range in the chains of @strapi/upload and of egg-static. */
export async function checkChains(range: Koa.Middleware): Promise<void> {
  assert.equal(range.length, 2)
  await withFolder(async (folder) => {
    const chains = [
      serveStatic(folder, { defer: true }),
      staticCache(folder, { buffer: true }),
      staticCache(folder, { buffer: false }),
      staticCache(folder, { dynamic: true }),
    ]
    for (const below of chains) {
      const server = new Koa().use(range).use(below).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      await checkResponses(`http://127.0.0.1:${port}/a.txt`)
      server.close()
      server.closeAllConnections()
    }
  })
}
