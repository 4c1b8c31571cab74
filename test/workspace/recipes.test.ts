import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Upload } from 'tus-js-client'
import { describe, expect, it } from 'vitest'
import { formWith, startApp } from '../support/app.ts'
import { REPOSITORY } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { listening, statusesWithoutFile } from './snippets.ts'

const DOCUMENTS = [
  'docs/recipes.md',
  'packages/koa-range-stream/RECIPES.md',
  'packages/koa-resumable-upload/RECIPES.md',
]
const RECIPES = (
  await Promise.all(DOCUMENTS.map((document) => readFile(join(REPOSITORY, document), 'utf8')))
).join('\n')
const VIDEO = await readFile(join(REPOSITORY, 'apps/server/assets/video/sample.mp4'))
/** The program under each heading that has one. */
const PROGRAMS = new Map(
  RECIPES.split(/^## /m).flatMap((section) => {
    const [, title, code] = /^([^\n]*)\n.*?^```ts\n(.*?)^```/ms.exec(section) ?? []
    return title === undefined || code === undefined ? [] : [[title, code] as const]
  }),
)
const tried = new Set<string>()

/** Runs the recipe of that title. */
async function run(title: string, env: Record<string, string> = {}): Promise<string> {
  tried.add(title)
  const code = PROGRAMS.get(title)
  if (code === undefined)
    throw new Error(`No document of recipes has a program under ${JSON.stringify(title)}.`)
  return listening(code, env)
}

/** Status and text of a range at `url`; the text of an MP4's bytes 4 to 7 is its `ftyp`. */
async function rangeOf(url: string, headers: Record<string, string> = {}): Promise<[number, string]> {
  const answer = await fetch(url, { headers: { range: 'bytes=4-7', ...headers } })
  return [answer.status, await answer.text()]
}

async function notModified(url: string): Promise<Response> {
  const { headers } = await fetch(url, { method: 'HEAD' })
  return fetch(url, { headers: { 'if-none-match': headers.get('etag') ?? '' } })
}

describe('the recipes', () => {
  it('make a complete app: static files, ranges, uploads by form and tus, refusals, deletion', async () => {
    const base = await run('A complete app')
    expect(await rangeOf(`${base}/sample.mp4`)).toEqual([206, 'ftyp'])
    const post = (content: string | typeof VIDEO) =>
      fetch(`${base}/videos`, { method: 'POST', body: formWith('file', 'form.mp4', content) })
    expect((await post('no video')).status).toBe(415)
    expect((await post(VIDEO)).status).toBe(201)
    expect((await post(VIDEO)).status).toBe(412)
    const tus = await fetch(`${base}/files`, {
      method: 'POST',
      headers: {
        'Tus-Resumable': '1.0.0',
        'Upload-Length': String(VIDEO.length),
        'Upload-Metadata': `filename ${btoa('tus.mp4')}`,
        'Content-Type': 'application/offset+octet-stream',
      },
      body: VIDEO,
    })
    expect(tus.status).toBe(201)
    const { items } = await (await fetch(`${base}/videos`)).json()
    expect(items).toMatchObject([{ key: 'form.mp4' }, { key: 'tus.mp4' }])
    expect(await rangeOf(`${base}/videos/tus.mp4`)).toEqual([206, 'ftyp'])
    expect((await notModified(`${base}/videos/form.mp4`)).status).toBe(304)
    expect((await fetch(`${base}/videos/form.mp4`, { method: 'DELETE' })).status).toBe(204)
    const names = ['form.mp4', '..%2f..%2fetc%2fpasswd', '%FF']
    const statuses = names.map(async (name) => (await fetch(`${base}/videos/${name}`)).status)
    expect(await Promise.all(statuses)).toEqual([404, 400, 404])
    expect((await fetch(`${base}/videos/form.mp4`, { method: 'DELETE' })).status).toBe(404)
  })

  it('set Cache-Control for each file, on 206 and 304 too', async () => {
    const base = await run('Cache-Control for each file')
    const part = await fetch(`${base}/sample.mp4`, { headers: { range: 'bytes=4-7' } })
    expect([part.status, part.headers.get('cache-control')]).toEqual([206, 'public, max-age=86400'])
    const unchanged = await notModified(`${base}/sample.mp4`)
    expect([unchanged.status, unchanged.headers.get('cache-control')]).toEqual([304, 'public, max-age=86400'])
  })

  it('receive resumable uploads with hooks: a prefix for each user, no file twice, and a row for each object', async () => {
    const base = await run('A prefix for each user, and a row for each object')
    const draft = (user: Record<string, string>, content: string) =>
      fetch(`${base}/clip.mp4`, {
        method: 'PUT',
        headers: { 'Upload-Complete': '?1', ...user },
        body: content,
      })
    expect((await draft({}, 'one')).status).toBe(401)
    expect((await draft({ 'X-User': 'ann' }, 'one')).status).toBe(201)
    const tus = await fetch(`${base}/files`, {
      method: 'POST',
      headers: {
        'X-User': 'bob',
        'Tus-Resumable': '1.0.0',
        'Upload-Length': '3',
        'Upload-Metadata': `filename ${btoa('clip.mp4')}`,
        'Content-Type': 'application/offset+octet-stream',
      },
      body: 'two',
    })
    expect(tus.status).toBe(201)
    expect((await draft({ 'X-User': 'cem' }, 'two')).status).toBe(422)
    // "a-b" and "a" could otherwise have the same names.
    expect((await draft({ 'X-User': 'ann-b' }, 'three')).status).toBe(401)
    const begun = await fetch(`${base}/clip.mp4`, {
      method: 'PUT',
      headers: { 'Upload-Complete': '?0', 'X-User': 'ann' },
      body: 'fo',
    })
    const append = (user: string) =>
      fetch(new URL(begun.headers.get('location') ?? '', base), {
        method: 'PATCH',
        headers: {
          'Content-Type': 'application/partial-upload',
          'Upload-Complete': '?0',
          'Upload-Offset': '2',
          'X-User': user,
        },
        body: 'u',
      })
    expect([(await append('bob')).status, (await append('ann')).status]).toEqual([403, 204])
    expect(await (await fetch(base)).json()).toEqual([
      { key: 'ann-clip.mp4', user: 'ann' },
      { key: 'bob-clip.mp4', user: 'bob' },
    ])
  })

  it('refuse an infected file after a scan by another process', async () => {
    const scanner = join(await temporaryDirectory(), 'scanner.mjs')
    await writeFile(
      scanner,
      "let t='';process.stdin.on('data',c=>t+=c).on('end',()=>process.exit(t.includes('EICAR')?1:0))",
    )
    const base = await run('A virus scan by another process', { SCANNER: `${process.execPath} ${scanner}` })
    const upload = (name: string, body: string) =>
      fetch(`${base}/files`, {
        method: 'POST',
        headers: {
          'Tus-Resumable': '1.0.0',
          'Upload-Length': String(body.length),
          'Upload-Metadata': `filename ${btoa(name)}`,
          'Content-Type': 'application/offset+octet-stream',
        },
        body,
      })
    expect((await upload('bad.mp4', 'an EICAR test')).status).toBe(422)
    expect((await upload('good.mp4', 'a film')).status).toBe(201)
    expect(await (await fetch(base)).json()).toEqual(['good.mp4'])
  })

  it('store no file, and continue, if the scanner cannot be started or does not read the whole file', async () => {
    const quick = join(await temporaryDirectory(), 'quick.mjs')
    await writeFile(quick, 'process.exit(0)')
    for (const SCANNER of ['/nonexistent-scanner -', `${process.execPath} ${quick}`]) {
      const base = await run('A virus scan by another process', { SCANNER })
      for (let attempt = 0; attempt < 2; attempt++) {
        const response = await fetch(`${base}/files`, {
          method: 'POST',
          headers: {
            'Tus-Resumable': '1.0.0',
            'Upload-Length': '5000000',
            'Upload-Metadata': `filename ${btoa('film.mp4')}`,
            'Content-Type': 'application/offset+octet-stream',
          },
          body: new Uint8Array(5_000_000),
        })
        expect(response.status).toBe(423)
      }
      expect(await (await fetch(base)).json()).toEqual([])
    }
  })

  it('scan an upload again when tus-js-client asks again, without its bytes sent again', async () => {
    const directory = await temporaryDirectory()
    const script = join(directory, 'works-later.mjs')
    const marker = JSON.stringify(join(directory, 'marker'))
    await writeFile(
      script,
      `import { appendFileSync, readFileSync } from 'node:fs'
      for await (const _ of process.stdin);
      appendFileSync(${marker}, '.')
      process.exit(readFileSync(${marker}).length < 3 ? 3 : 0)`,
    )
    const base = await run('A virus scan by another process', { SCANNER: `${process.execPath} ${script}` })
    const methods: string[] = []
    await new Promise<void>((resolve, reject) => {
      new Upload(VIDEO, {
        endpoint: `${base}/files`,
        metadata: { filename: 'film.mp4' },
        retryDelays: [10, 10, 10],
        onBeforeRequest: (request) => void methods.push(request.getMethod()),
        onSuccess: () => resolve(),
        onError: reject,
      }).start()
    })
    // After a HEAD with 500, it would begin again with a POST.
    expect(methods).toEqual(['POST', 'PATCH', 'HEAD', 'HEAD'])
    expect(await (await fetch(base)).json()).toEqual(['film.mp4'])
  })

  it('serve content of another server by range', async () => {
    const { url, store } = await startApp()
    await store.put(
      'clip.mp4',
      (async function* () {
        yield VIDEO
      })(),
    )
    const base = await run('Content on another server', { ORIGIN: url })
    expect(await rangeOf(`${base}/videos/clip.mp4`)).toEqual([206, 'ftyp'])
    expect((await notModified(`${base}/videos/clip.mp4`)).status).toBe(304)
    expect((await fetch(`${base}/videos/none.mp4`)).status).toBe(404)
    const whole = await fetch(`${base}/videos/clip.mp4`)
    expect(Buffer.from(await whole.arrayBuffer()).equals(VIDEO)).toBe(true)
  })

  it('serve a blob of a database by range', async () => {
    const url = `${await run('Blobs in a database')}/reports/7`
    expect(await rangeOf(url, { range: 'bytes=-7' })).toEqual([206, 'figures'])
    expect((await fetch(url, { headers: { 'if-match': '"2"' } })).status).toBe(412)
    expect((await notModified(url)).status).toBe(304)
  })

  it('let a player on another site see what it seeks by', async () => {
    const url = `${await run('With CORS')}/sample.mp4`
    const Origin = 'https://player.example'
    const part = await fetch(url, { headers: { Origin, range: 'bytes=4-7' } })
    expect([part.status, part.headers.get('access-control-allow-origin')]).toEqual([206, Origin])
    expect(part.headers.get('access-control-expose-headers')).toContain('Content-Range')
    const asked = { 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'if-range' }
    const preflight = await fetch(url, { method: 'OPTIONS', headers: { Origin, ...asked } })
    expect(preflight.headers.get('access-control-allow-headers')).toContain('If-Range')
  })

  it('compress pages and no video', async () => {
    const base = await run('With koa-compress')
    const headers = { 'accept-encoding': 'gzip' }
    expect((await fetch(base, { headers })).headers.get('content-encoding')).toBe('gzip')
    expect(await rangeOf(`${base}/sample.mp4`, headers)).toEqual([206, 'ftyp'])
    expect((await fetch(`${base}/sample.mp4`, { headers })).headers.get('content-encoding')).toBeNull()
  })

  it('let in by a signed URL, and not by one that was changed', async () => {
    const base = await run('Expiring links', { SECRET: 'of this test' })
    const link = await (await fetch(`${base}/link/sample.mp4`)).text()
    expect(await rangeOf(base + link)).toEqual([206, 'ftyp'])
    for (const wrong of [
      '/sample.mp4',
      link.replace('expires=', 'expires=9'),
      link.replace(/.$/, ''),
      `/x${link}`,
    ])
      expect((await fetch(base + wrong)).status, wrong).toBe(403)
  })

  it('lead to a CDN, and answer here what it would answer otherwise', async () => {
    const base = await run('Redirects to a CDN or a bucket', { CDN: 'https://cdn.example.org' })
    const plain = await fetch(`${base}/sample.mp4`, { redirect: 'manual', headers: { range: 'bytes=4-7' } })
    expect([plain.status, plain.headers.get('location')]).toEqual([307, 'https://cdn.example.org/sample.mp4'])
    expect((await notModified(`${base}/sample.mp4`)).status).toBe(304)
    expect(await rangeOf(`${base}/sample.mp4`, { 'if-range': '"other"' })).toEqual([200, expect.any(String)])
  })

  it('store and stream with Express', async () => {
    const base = await run('Express')
    const form = formWith('file', 'clip.mp4', new Uint8Array(VIDEO))
    form.set('file', new Blob([new Uint8Array(VIDEO)], { type: 'video/mp4' }), 'clip.mp4')
    const stored = await fetch(`${base}/videos`, { method: 'POST', body: form })
    expect([stored.status, await stored.json()]).toEqual([201, { key: 'clip.mp4', size: VIDEO.length }])
    expect(await rangeOf(`${base}/videos/clip.mp4`)).toEqual([206, 'ftyp'])
    const unchanged = await notModified(`${base}/videos/clip.mp4`)
    expect([unchanged.status, unchanged.headers.get('content-type')]).toEqual([304, null])
    const refused = await fetch(`${base}/videos`, { method: 'POST', body: formWith('file', 'a.txt', 'text') })
    expect(refused.status).toBe(415)
    expect(await statusesWithoutFile(`${base}/videos`)).toEqual([422, 400, 422, 422, 422, 400, 422])
  })

  it('replace koa-send', async () => {
    const base = await run('From koa-send')
    const part = await fetch(`${base}/sample.mp4`, { headers: { range: 'bytes=4-7' } })
    expect([part.status, part.headers.get('cache-control')]).toEqual([206, 'max-age=60'])
    expect((await fetch(`${base}/%2e%2e%2fsnippet.mjs`)).status).toBe(404)
    expect((await fetch(`${base}/%E0%A4%A`)).status).toBe(400)
  })

  it("replace multer's disk storage", async () => {
    const base = await run("From multer's disk storage")
    const form = formWith('file', 'clip.mp4', new Uint8Array(VIDEO))
    const stored = await fetch(`${base}/video`, { method: 'POST', body: form })
    expect([stored.status, await stored.json()]).toMatchObject([201, { key: 'clip.mp4', size: VIDEO.length }])
    expect(await statusesWithoutFile(`${base}/video`)).toEqual([422, 400, 422, 422, 422, 400, 422])
  })

  it('are all tried here', () => {
    expect([...PROGRAMS.keys()].filter((title) => !tried.has(title))).toEqual([])
  })
})
