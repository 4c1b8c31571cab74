import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
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

it('each coding of a file of the page has its own entity-tag, and is revalidated by it', async () => {
  const { url } = await startApp()
  const tags = new Set<string | undefined>()
  for (const coding of ['br', 'gzip', 'identity']) {
    const headers = { 'Accept-Encoding': coding }
    const etag = (await get(`${url}/page/page.js`, headers)).field('etag') ?? ''
    const again = await get(`${url}/page/page.js`, { ...headers, 'If-None-Match': etag })
    expect([again.status, again.field('etag'), again.field('content-encoding')]).toEqual([
      304,
      etag,
      undefined,
    ])
    tags.add(etag)
  }
  expect(tags.size).toBe(3)
})

it.each(['', 'page.js.br', '../main.js', '%2e%2e/main.js', 'constructor', 'page.js/'])(
  'has no file of the page at /page/%s',
  async (path) => {
    const { url } = await startApp()
    expect((await get(`${url}/page/${path}`, {})).status).toBe(404)
  },
)

it('the page’s JavaScript has at most 60 kB in all, compressed', async () => {
  const scripts = ['page.js', 'controls.js', 'tus.js']
  const sizes = await Promise.all(scripts.map(async (name) => (await built(`${name}.br`)).length))
  expect(sizes.reduce((a, b) => a + b)).toBeLessThanOrEqual(60_000)
})

it('the tarball of the server has the built page', async () => {
  const pack = ['pack', '--dry-run', '--json', '--ignore-scripts']
  const { stdout } = await promisify(execFile)('npm', pack, { cwd: join(REPOSITORY, 'apps/server') })
  const [{ files }]: [{ files: { path: string }[] }] = JSON.parse(stdout)
  const paths = files.map(({ path }) => path)
  for (const name of ['page.js', 'page.js.br', 'page.css', 'controls.js', 'tus.js', 'favicon.svg'])
    expect(paths).toContain(`dist/page/${name}`)
})
