import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { startApp } from '../support/app.ts'
import { REPOSITORY } from '../support/server.ts'

/** As it comes: fetch would decode it. */
function get(url: string, headers: Record<string, string>) {
  return new Promise<{ status: number; field: (name: string) => string | undefined; body: Buffer }>(
    (resolve, reject) => {
      request(url, { headers }, async (response) => {
        const chunks: Buffer[] = []
        for await (const chunk of response) chunks.push(chunk)
        const field = (name: string) => response.headers[name]?.toString()
        resolve({ status: response.statusCode ?? 0, field, body: Buffer.concat(chunks) })
      })
        .on('error', reject)
        .end()
    },
  )
}

const built = (name: string) => readFile(join(REPOSITORY, 'apps/server/dist/page', name))

it.each([
  ['br', (body: Buffer) => brotliDecompressSync(body)],
  ['gzip', (body: Buffer) => gunzipSync(body)],
  ['identity', (body: Buffer) => body],
])(
  'the page’s script comes as %s to who accepts that, and says what it varies by',
  async (coding, decode) => {
    const { url } = await startApp()
    const { status, field, body } = await get(`${url}/page/page.js`, { 'Accept-Encoding': coding })
    expect(status).toBe(200)
    expect(field('content-encoding')).toBe(coding === 'identity' ? undefined : coding)
    expect(field('vary')).toMatch(/accept-encoding/i)
    expect(field('content-type')).toMatch('javascript')
    expect(decode(body).equals(await built('page.js'))).toBe(true)
  },
)

it('a precompressed file is revalidated, and a range is one of the plain file', async () => {
  const { url } = await startApp()
  const br = { 'Accept-Encoding': 'br' }
  const { field } = await get(`${url}/page/page.css`, br)
  const since = field('last-modified') ?? ''
  const again = await get(`${url}/page/page.css`, { ...br, 'If-Modified-Since': since })
  expect([again.status, again.field('vary')]).toEqual([304, expect.stringMatching(/accept-encoding/i)])
  const part = await get(`${url}/page/page.css`, { Range: 'bytes=0-4' })
  expect([part.status, part.body.toString()]).toEqual([206, ':root'])
})

it('the page’s JavaScript has at most 60 kB in all, compressed', async () => {
  const scripts = ['page.js', 'controls.js', 'tus.js']
  const sizes = await Promise.all(scripts.map(async (name) => (await built(`${name}.br`)).length))
  expect(sizes.reduce((a, b) => a + b)).toBeLessThanOrEqual(60_000)
})
