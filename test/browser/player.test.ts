import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { describeWith } from '../support/tools.ts'
import { makeVideo } from '../support/video.ts'
import { UploadSite } from './upload-site.ts'

const CAPTIONS = 'WEBVTT\n\n00:00.000 --> 01:29.000\nSomebody speaks\n'

describeWith(['chromium', 'ffmpeg'], 'the player of the page', () => {
  let site: UploadSite

  beforeAll(async () => {
    site = await UploadSite.start()
    const clip = join(site.directory, 'clip.mp4')
    await makeVideo(clip, 90)
    for (const name of ['one.mp4', 'two.mp4']) await put(name, await readFile(clip))
    await put('two.mp4.vtt', Buffer.from(CAPTIONS))
    // Begins as an MP4 does, and is none that anybody can play.
    const sample = await readFile(clip)
    await put('odd.mp4', Buffer.concat([sample.subarray(0, 64), Buffer.alloc(5000)]))
  })

  afterAll(() => site.end())

  const put = async (key: string, body: Buffer) => {
    const response = await fetch(`${site.url}/videos/${key}`, { method: 'PUT', body: new Uint8Array(body) })
    expect(response.status).toBe(201)
  }

  async function open(path: string): Promise<Page> {
    const context = await site.browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] })
    onTestFinished(() => context.close())
    const page = await context.newPage()
    await page.goto(`${site.url}${path}`)
    return page
  }

  const media = <T>(page: Page, read: (video: HTMLVideoElement) => T) => page.locator('video').evaluate(read)

  async function ready(page: Page): Promise<void> {
    await page.waitForFunction(() => {
      const video = document.querySelector('video')
      return video !== null && video.readyState > 0 && customElements.get('media-controller') !== undefined
    })
  }

  const time = (page: Page) => media(page, (video) => Math.round(video.currentTime))

  it('obeys every key', async () => {
    const page = await open('/?play=two.mp4&t=30')
    await ready(page)
    expect(await time(page)).toBe(30)
    for (const [key, expected] of [
      ['l', 40],
      ['j', 30],
      ['ArrowRight', 35],
      ['ArrowLeft', 30],
      ['5', 45],
      ['0', 0],
      ['9', 81],
    ] as const) {
      await page.keyboard.press(key)
      expect(await time(page), key).toBe(expected)
    }
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowUp')
    expect(await media(page, (video) => video.volume)).toBeCloseTo(0.95)
    await page.keyboard.press('m')
    expect(await media(page, (video) => video.muted)).toBe(true)
    await page.keyboard.press('>')
    expect(await media(page, (video) => video.playbackRate)).toBe(1.25)
    await page.keyboard.press('<')
    await page.keyboard.press('<')
    expect(await media(page, (video) => video.playbackRate)).toBe(0.75)
    await page.locator('#flash').getByText('Speed 0.75×').waitFor()
    await page.keyboard.press('k')
    expect(await media(page, (video) => video.paused)).toBe(false)
    await page.keyboard.press('Space')
    expect(await media(page, (video) => video.paused)).toBe(true)
    await page.keyboard.press('c')
    expect(await media(page, (video) => video.textTracks[0]?.mode)).toBe('showing')
    await page.keyboard.press('f')
    await page.waitForFunction(() => document.fullscreenElement?.id === 'controller')
    await page.keyboard.press('f')
    await page.waitForFunction(() => document.fullscreenElement === null)
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).getByText('Play or pause').waitFor()
    // Behind the dialog no key acts. It is paused, some moments after 81 s.
    const paused = await time(page)
    await page.keyboard.press('l')
    expect(await time(page)).toBe(paused)
  })

  it('leaves keys to what has the focus, and to the browser where a modifier is held', async () => {
    const page = await open('/?play=one.mp4&t=30')
    await ready(page)
    await page.getByRole('link', { name: 'Download', exact: true }).focus()
    await page.keyboard.press('Space')
    expect(await media(page, (video) => video.paused)).toBe(true)
    await page.keyboard.press('Control+l')
    await page.keyboard.press('Alt+j')
    expect(await time(page)).toBe(30)
  })

  it('resumes a video where it was left, and starts at the time that a link names', async () => {
    const page = await open('/?play=one.mp4')
    await ready(page)
    await page.keyboard.press('5')
    await page.reload()
    await ready(page)
    await expect.poll(() => time(page)).toBe(45)
    await page.getByRole('link', { name: /^two\.mp4/ }).click()
    await page.waitForFunction(() => document.querySelector('video')?.src.endsWith('/two.mp4'))
    await page.getByRole('link', { name: /^one\.mp4/ }).click()
    await ready(page)
    await expect.poll(() => time(page)).toBeGreaterThanOrEqual(45)
    await page.goto(`${site.url}/?play=one.mp4&t=7`)
    await ready(page)
    await expect.poll(() => time(page)).toBe(7)
  })

  it('copies a link to the video, and one to its present moment', async () => {
    const page = await open('/?play=one.mp4&t=83')
    await ready(page)
    const copied = () => page.evaluate(() => navigator.clipboard.readText())
    await page.getByRole('button', { name: 'Copy link at 1:23' }).click()
    await page.locator('#flash').getByText('Link to 1:23 copied').waitFor()
    expect(await copied()).toBe(`${site.url}/?play=one.mp4&t=83`)
    await page.getByRole('button', { name: 'Copy link', exact: true }).click()
    await page.locator('#flash').getByText('Link copied').waitFor()
    expect(await copied()).toBe(`${site.url}/?play=one.mp4`)
  })

  it('takes captions for what plays, and shows those that are there', async () => {
    // At its very beginning a video that has not been played shows none.
    const page = await open('/?play=one.mp4&t=30')
    await ready(page)
    const path = join(site.directory, 'words.vtt')
    await writeFile(path, CAPTIONS)
    const chooser = page.waitForEvent('filechooser')
    await page.getByRole('button', { name: 'Add captions' }).click()
    await (await chooser).setFiles(path)
    await page.getByRole('button', { name: 'Replace captions' }).waitFor()
    const shown = (video: HTMLVideoElement) =>
      (video.textTracks[0]?.activeCues?.[0] as VTTCue | undefined)?.text
    await expect.poll(() => media(page, shown)).toBe('Somebody speaks')
    expect(await page.locator('#rows').textContent()).not.toContain('.vtt')
    await page.reload()
    await ready(page)
    await page.keyboard.press('c')
    await expect.poll(() => media(page, shown)).toBe('Somebody speaks')

    await writeFile(path, 'no captions')
    await page.setInputFiles('#captions-file', path)
    await page.locator('#notice').getByText('not accepted').waitFor()
  })

  it('says what to do about a file that the browser cannot play', async () => {
    const page = await open('/')
    await page.getByRole('link', { name: /^odd\.mp4/ }).click()
    const note = page.locator('[data-note="codec"]')
    await note.getByText('ffmpeg -i odd.mp4').waitFor()
    expect(await note.getByRole('link').getAttribute('href')).toBe('/videos/odd.mp4?download')
  })

  it('says that there is no connection, and continues by itself when it is back', async () => {
    const page = await open('/')
    await page.context().setOffline(true)
    await page.getByRole('link', { name: /^one\.mp4/ }).click()
    const note = page.locator('[data-note="network"]')
    await note.getByText('No connection — retrying').waitFor()
    expect(await page.locator('[data-note="codec"]').isVisible()).toBe(false)
    await page.context().setOffline(false)
    await note.waitFor({ state: 'hidden' })
    await page.waitForFunction(() => (document.querySelector('video')?.readyState ?? 0) > 1)
  })

  it('says that the server cannot send a video, and continues when it can', async () => {
    const page = await open('/')
    const isBusy = (url: URL) => url.pathname.endsWith('/one.mp4')
    await page.route(isBusy, (route) => route.fulfill({ status: 503 }))
    await page.getByRole('link', { name: /^one\.mp4/ }).click()
    const note = page.locator('[data-note="server"]')
    await note.getByText('The server cannot send this video at the moment').waitFor()
    await page.unroute(isBusy)
    await note.waitFor({ state: 'hidden' })
    await page.waitForFunction(() => (document.querySelector('video')?.readyState ?? 0) > 1)
  })

  it('waits longer before each reload of a video whose responses break, which stays paused', async () => {
    const page = await open('/?play=one.mp4&t=20')
    await ready(page)
    const heads: string[] = []
    page.on('request', (request) => {
      if (request.method() === 'HEAD') heads.push(request.url())
    })
    // Chromium itself repeats real requests that break, so the error is made here, at once after each load.
    const reloads = await page.evaluate(async () => {
      const video = document.querySelector('video')
      if (video === null) return 0
      Object.defineProperty(video, 'error', { get: () => ({ code: MediaError.MEDIA_ERR_NETWORK }) })
      let count = 0
      const breaking = () => {
        count++
        video.dispatchEvent(new Event('error'))
      }
      video.addEventListener('loadedmetadata', breaking)
      breaking()
      await new Promise((resolve) => setTimeout(resolve, 4000))
      video.removeEventListener('loadedmetadata', breaking)
      return video.paused ? count : Number.NaN
    })
    // After 1 s and 2 s more.
    expect(reloads).toBeGreaterThanOrEqual(2)
    expect(reloads).toBeLessThanOrEqual(3)
    expect(heads.length).toBeLessThanOrEqual(3)
  })

  it('says that a video was deleted', async () => {
    await put('three.mp4', await readFile(join(site.directory, 'clip.mp4')))
    const page = await open('/')
    const row = page.getByRole('link', { name: /^three\.mp4/ })
    await row.waitFor()
    await fetch(`${site.url}/videos/three.mp4`, { method: 'DELETE' })
    await page.route('**/videos?*', (route) => route.abort())
    await row.click()
    await page.locator('[data-note="deleted"]').getByText('This video was deleted').waitFor()
  })

  it('says that a link leads to no video, in a banner that can be closed', async () => {
    const page = await open('/?play=unknown.mp4')
    const banner = page.locator('#notice')
    await banner.getByText('“unknown.mp4” was deleted or renamed').waitFor()
    await banner.getByRole('link', { name: 'Close' }).click()
    await page.waitForURL(`${site.url}/`)
    expect(await banner.textContent()).toBe('')
  })

  it('shows what the server saw of its requests while it plays', async () => {
    const page = await open('/?play=one.mp4&t=20')
    await ready(page)
    await page.getByText('Request log').click()
    const table = page.locator('#requests tbody')
    await table
      .getByText(/^206 bytes \d/)
      .first()
      .waitFor()
    await ready(page)
    expect(await time(page)).toBe(20)
    const revalidated = table.getByText('304').first()
    // Chromium asks for all of it where the picture of the video's row holds its cache at that moment.
    for (let tries = 0; tries < 4 && !(await revalidated.isVisible()); tries++) {
      await page.reload()
      await revalidated.waitFor({ timeout: 4000 }).catch(() => {})
    }
    expect(await revalidated.isVisible()).toBe(true)
    // The plain URL, which the caches of browser and proxies know. Chromium may have it in memory and then sends no request.
    await page.getByText('Request log').click()
    await expect.poll(() => media(page, (video) => video.currentSrc)).toMatch(/\/one\.mp4(?:#|$)/)
  })
})
