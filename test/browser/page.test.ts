import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { ServerProcess } from '../support/server.ts'
import { describeWith } from '../support/tools.ts'
import { makeVideo } from '../support/video.ts'
import { sharedBrowser } from './shared-browser.ts'

describeWith(['chromium', 'ffmpeg'], 'the page in Chromium', () => {
  let browser: Browser
  let directory: string
  let clip: string
  let server: ServerProcess
  let base: string

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'koa-range-'))
    clip = join(directory, 'clip.mp4')
    await makeVideo(clip, 60, '640x360')
    server = new ServerProcess(['--port', '0', '--data', join(directory, 'data'), '--log-level', 'debug'])
    base = await server.url()
    browser = await sharedBrowser()
  })

  afterAll(async () => {
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  })

  async function open(path: string, options: { javaScriptEnabled?: boolean } = {}): Promise<Page> {
    const context = await browser.newContext(options)
    onTestFinished(() => context.close())
    const page = await context.newPage()
    await page.goto(`${base}${path}`)
    return page
  }

  const uploadAs = async (name: string) => {
    const form = new FormData()
    form.append('file', new Blob([new Uint8Array(await readFile(clip))]), name)
    expect((await fetch(`${base}/video`, { method: 'POST', body: form })).status).toBe(201)
  }

  it('plays a video, seeks by 206, and gets a 304 on reload', async () => {
    await uploadAs('seek.mp4')
    const page = await open('/?play=seek.mp4')
    const video = page.locator('video')
    const seekTo = (time: number) =>
      video.evaluate(async (element, to) => {
        const media = element as HTMLVideoElement
        media.muted = true
        await media.play()
        const seeked = new Promise((resolve) => media.addEventListener('seeked', resolve, { once: true }))
        media.currentTime = to
        await seeked
        return { time: media.currentTime, end: media.seekable.end(0), width: media.videoWidth }
      }, time)
    const { time, end, width } = await seekTo(50)
    expect(time).toBeGreaterThanOrEqual(50)
    expect(end).toBeCloseTo(60, 0)
    expect(width).toBe(640)

    await page.reload()
    await seekTo(5)
    // As the server saw it: to the page Chromium shows a 304 as the response that it had cached.
    const statuses = () =>
      server.stderr.split('\n').flatMap((line) => {
        const { path = '', status } = line.startsWith('{') ? JSON.parse(line) : {}
        // Chromium may leave before it is answered.
        return path.endsWith('/seek.mp4') && status !== undefined ? [status] : []
      })
    await expect.poll(statuses).toEqual(expect.arrayContaining([206, 304]))
    expect(statuses().filter((status) => status !== 206 && status !== 304)).toEqual([])
  })

  it('uploads a file, shows it in the list, and plays it on demand', async () => {
    const page = await open('/')
    await page.setInputFiles('#upload input', {
      name: 'picked file.mp4',
      mimeType: 'video/mp4',
      buffer: await readFile(clip),
    })
    await page
      .getByRole('link', { name: /picked file\.mp4/ })
      .first()
      .waitFor()
    expect(await page.locator('video').count()).toBe(0)
    await page.getByRole('link', { name: 'Watch picked file.mp4' }).click()
    await expect
      .poll(() => page.locator('video').evaluate((media: HTMLVideoElement) => media.readyState))
      .toBeGreaterThan(0)
    expect(await page.getByRole('button', { name: 'Copy link', exact: true }).isVisible()).toBe(true)
  })

  it('uploads, lists and plays without script', async () => {
    const page = await open('/', { javaScriptEnabled: false })
    await page.setInputFiles('#upload input', {
      name: 'without script.mp4',
      mimeType: 'video/mp4',
      buffer: await readFile(clip),
    })
    await page.locator('form[action="/video"] button').click()
    await page.waitForURL(/\?play=without%20script\.mp4/)
    expect(await page.locator('video').getAttribute('src')).toBe('/get_video_by_name/without%20script.mp4')
    await page
      .getByRole('link', { name: /without script\.mp4/ })
      .first()
      .waitFor()
  })

  it('tells a person what is wrong with a form that was sent without script', async () => {
    const page = await open('/', { javaScriptEnabled: false })
    await page.setInputFiles('#upload input', {
      name: 'no video.mp4',
      mimeType: 'video/mp4',
      buffer: Buffer.from('<html>'),
    })
    await page.locator('form[action="/video"] button').click()
    await page.getByRole('heading', { name: 'The content type is not accepted' }).waitFor()
  })

  it('plays the bare URL of a video, sandboxed as it is', async () => {
    await uploadAs('bare.mp4')
    const page = await open('/get_video_by_name/bare.mp4')
    await expect
      .poll(() => page.locator('video').evaluate((media: HTMLVideoElement) => media.readyState))
      .toBeGreaterThan(1)
  })

  it('has no error in the console and loads nothing from elsewhere', async () => {
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())))
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('request', (request) => {
      // Posters are made in the page.
      const url = request.url().replace(/^blob:/, '')
      if (!url.startsWith(base)) complaints.push(url)
    })
    await page.goto(`${base}/`)
    await page.waitForLoadState('networkidle')
    expect(complaints).toEqual([])
  })
})
