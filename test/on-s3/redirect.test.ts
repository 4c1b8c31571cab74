import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { sharedBrowser } from '../browser/shared-browser.ts'
import { startApp } from '../support/app.ts'
import { startProxy } from '../support/proxy.ts'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { describeWith } from '../support/tools.ts'
import { makeVideo } from '../support/video.ts'

const CLIP = Buffer.concat([Buffer.from('\0\0\0\x18ftypmp42\0\0\0\0mp42isom'), Buffer.alloc(5000, 'x')])

const TYPES: Record<string, string> = { '.mp4': 'video/mp4', '.vtt': 'text/vtt', '.html': 'text/html' }

/** A server that sends readers to the bucket. */
async function start(...flags: string[]) {
  const { endpoint, bucket } = inject('s3')
  const s3 = ['--store', 's3', '--s3-bucket', bucket, '--s3-endpoint', endpoint, '--redirect', 'presigned']
  const { url } = await startApp(...s3, ...flags)
  const put = async (key: string, body: Buffer) => {
    const headers = { 'content-type': TYPES[extname(key)] ?? '' }
    const target = `${url}/videos/${encodeURIComponent(key)}`
    const response = await fetch(target, { method: 'PUT', headers, body: new Uint8Array(body) })
    expect(response.ok).toBe(true)
    return response.headers.get('etag') ?? ''
  }
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(`${url}${path}`, { method, headers, redirect: 'manual' })
  return { url, endpoint, put, ask }
}

describe('with --redirect presigned', () => {
  it('leads to the bytes in the bucket, by range too, with their type and disposition', async () => {
    const { url, endpoint, put, ask } = await start()
    await put('clip.mp4', CLIP)
    for (const path of ['/videos/clip.mp4', '/get_video_by_name/clip.mp4']) {
      const answer = await ask(path, { range: 'bytes=4-7' })
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([307, 'no-store'])
      expect(new URL(answer.headers.get('location') ?? '').origin).toBe(endpoint)
      const part = await fetch(`${url}${path}`, { headers: { range: 'bytes=4-7' } })
      expect([part.status, await part.text()]).toEqual([206, 'ftyp'])
      expect(Object.fromEntries(part.headers)).toMatchObject({
        'content-type': 'video/mp4',
        'content-disposition': 'inline; filename=clip.mp4',
        'content-range': `bytes 4-7/${CLIP.length}`,
        'cache-control': 'public, max-age=0, must-revalidate',
      })
    }
    const whole = await fetch(`${url}/videos/clip.mp4`)
    expect(Buffer.from(await whole.arrayBuffer()).equals(CLIP)).toBe(true)
    const end = await fetch(`${url}/videos/clip.mp4`, { headers: { range: 'bytes=-3' } })
    expect([end.status, await end.text()]).toEqual([206, 'xxx'])
  })

  it('has what a browser might run, and what is asked for as a download, be attachments there, too', async () => {
    const { url, put } = await start()
    await put('страница.html', Buffer.from('<script>alert(1)</script>'))
    await put('clip.mp4', CLIP)
    const page = await fetch(`${url}/videos/${encodeURIComponent('страница.html')}`)
    expect([page.redirected, page.headers.get('content-disposition')]).toEqual([
      true,
      `attachment; filename="????????.html"; filename*=UTF-8''${encodeURIComponent('страница.html')}`,
    ])
    const download = await fetch(`${url}/videos/clip.mp4?download`)
    expect(download.headers.get('content-disposition')).toBe('attachment; filename=clip.mp4')
  })

  it('answers itself what the bucket would answer otherwise', async () => {
    const { put, ask } = await start()
    const etag = await put('clip.mp4', CLIP)
    const status = async (headers: Record<string, string>, method?: string) =>
      (await ask('/videos/clip.mp4', headers, method)).status
    expect(await status({}, 'HEAD')).toBe(200)
    expect(await status({ 'if-none-match': etag })).toBe(304)
    expect(await status({ 'if-match': '"other"' })).toBe(412)
    expect(await status({ 'if-match': etag, range: 'bytes=0-0' })).toBe(206)
    expect(await status({ range: `bytes=${CLIP.length}-` })).toBe(416)
    expect(await status({ range: 'bytes=0-0,-1' })).toBe(206)
    expect((await ask('/videos/none.mp4')).status).toBe(404)
  })

  it('redirects no client that has bytes of another version, so that they are not joined', async () => {
    const { put, ask } = await start()
    const old = await put('clip.mp4', CLIP)
    await put('clip.mp4', Buffer.concat([CLIP, CLIP]))
    const stale = await ask('/videos/clip.mp4', { range: 'bytes=9-', 'if-range': old })
    expect([stale.status, (await stale.arrayBuffer()).byteLength]).toEqual([200, 2 * CLIP.length])
  })

  it("gives scripts of a page, and captions, itself, which the bucket's origin would keep from them", async () => {
    const { put, ask } = await start()
    await put('clip.mp4', CLIP)
    await put('clip.mp4.vtt', Buffer.from('WEBVTT\n'))
    const asked = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }
    expect((await ask('/videos/clip.mp4', asked)).status).toBe(200)
    expect((await ask('/videos/clip.mp4.vtt')).status).toBe(200)
  })
})

describe('with the URL of a CDN', () => {
  it('leads to the key there, as a download where that is asked for', async () => {
    const { put, ask } = await start('--redirect', 'https://cdn.example.org/videos')
    await put('a b#.mp4', CLIP)
    const location = async (query: string) =>
      (await ask(`/videos/a%20b%23.mp4${query}`)).headers.get('location')
    expect(await location('')).toBe('https://cdn.example.org/videos/a%20b%23.mp4')
    expect(await location('?view=x&download')).toBe('https://cdn.example.org/videos/a%20b%23.mp4?download')
    const page = await ask('/', { accept: 'text/html' })
    expect(page.headers.get('content-security-policy')).toContain(
      "media-src 'self' blob: https://cdn.example.org",
    )
  })
})

describeWith(['nginx'], 'with the URL of nginx in front of nodes, by docs/examples/nginx-nodes.conf', () => {
  it('leads to what it has from them, with all their fields', async () => {
    const flags = [
      '--port',
      '0',
      '--data',
      await temporaryDirectory(),
      '--accept',
      '*/*',
      '--trust-proxy',
      '--allow-anonymous',
    ]
    const startNode = async (...more: string[]) => {
      const server = new ServerProcess([...flags, ...more])
      onTestFinished(async () => void (await server.stop('SIGKILL')))
      return server.url()
    }
    const node = await startNode()
    const cdn = await startProxy('nginx', 'nginx-nodes.conf', [node, node, node])
    const url = await startNode('--redirect', `${cdn.url}/videos/`)
    const stored = await fetch(`${url}/videos/page.html`, {
      method: 'PUT',
      body: '<script>alert(1)</script>',
    })
    const part = await fetch(`${url}/videos/page.html`, { headers: { range: 'bytes=1-6' } })
    expect([part.url, part.status, await part.text()]).toEqual([`${cdn.url}/videos/page.html`, 206, 'script'])
    expect(Object.fromEntries(part.headers)).toMatchObject({
      etag: stored.headers.get('etag'),
      'content-security-policy': expect.stringContaining('sandbox'),
      'content-disposition': expect.stringMatching(/^attachment/),
      'x-content-type-options': 'nosniff',
    })
  })
})

describeWith(['chromium', 'ffmpeg'], 'the page with --redirect presigned', () => {
  it('plays and seeks from the bucket, with captions and posters', async () => {
    const { url, endpoint, put } = await start()
    const path = join(await temporaryDirectory(), 'film.mp4')
    await makeVideo(path, 90)
    await put('film.mp4', await readFile(path))
    await put('film.mp4.vtt', Buffer.from('WEBVTT\n\n00:00.000 --> 01:29.000\nSomebody speaks\n'))
    const context = await (await sharedBrowser()).newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    const sources = new Set<string>()
    page.on('response', (response) => {
      if (response.status() === 206) sources.add(new URL(response.url()).origin)
    })
    const errors: string[] = []
    page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())))
    await page.goto(`${url}/?play=film.mp4&t=60`)
    const media = <T>(read: (video: HTMLVideoElement) => T) => page.locator('video').evaluate(read)
    await page.waitForFunction(() => {
      const video = document.querySelector('video')
      return video !== null && video.readyState > 1 && customElements.get('media-controller') !== undefined
    })
    await media((video) => video.play())
    await expect.poll(() => media((video) => video.currentTime)).toBeGreaterThan(60.5)
    await page.keyboard.press('c')
    const cue = (video: HTMLVideoElement) =>
      (video.textTracks[0]?.activeCues?.[0] as VTTCue | undefined)?.text
    await expect.poll(() => media(cue)).toBe('Somebody speaks')
    await page.locator('#rows .tile img').waitFor()
    expect(sources).toContain(endpoint)
    expect(errors).toEqual([])
  })
})
