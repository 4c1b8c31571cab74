import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { sharedBrowser } from '../browser/shared-browser.ts'
import { describeWith } from '../support/tools.ts'
import { DURATION, makeClockVideo, STRIPES } from './clock-video.ts'
import { Demo, post, publish, put } from './demo.ts'
import { tapWire } from './wire.ts'

/** 50 Mbit/s: loopback itself has most of the file in the kernel's buffers before Chromium says that it has enough. */
const LINK = { bytesPerSecond: 6_250_000 }
const ENOUGH = 15_000_000

describeWith(['chromium', 'ffmpeg'], 'Chromium with a video of 40 MB', () => {
  let browser: Browser
  let demo: Demo

  beforeAll(async () => {
    demo = await Demo.start()
    browser = await sharedBrowser(true)
    await makeClockVideo(join(demo.directory, 'end.mp4'), 'end')
    await makeClockVideo(join(demo.directory, 'start.mp4'), 'start')
  })

  afterAll(async () => {
    await demo?.stop()
  })

  /** Opens a page with a video and waits for the first frame; then it stops, since what plays reads ahead. */
  async function open(url: string): Promise<Page> {
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    await page.goto(url)
    await firstFrame(page)
    return page
  }

  const firstFrame = (page: Page) =>
    page.locator('video').evaluate(async (element) => {
      const media = element as HTMLVideoElement
      media.muted = true
      media.pause()
      if (media.readyState < 2) await new Promise((resolve) => media.addEventListener('loadeddata', resolve))
    })

  /** Seeks and waits for the frame of that time, which comes onto the screen a moment after the event. */
  async function seek(page: Page, time: number): Promise<void> {
    await page.locator('video').evaluate(async (element, time) => {
      const media = element as HTMLVideoElement
      const seeked = new Promise((resolve) => media.addEventListener('seeked', resolve, { once: true }))
      media.currentTime = time
      await seeked
    }, time)
    await expect.poll(() => shownSecond(page)).toBe(Math.floor(time))
  }

  /** The second that the frame shows which is on the screen, read from its stripes. */
  const shownSecond = (page: Page) =>
    page.locator('video').evaluate((media, stripes) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: stripes, height: 1 })
      const context = canvas.getContext('2d')
      context?.drawImage(media as HTMLVideoElement, 0, 0, stripes, 1)
      const pixels = [...(context?.getImageData(0, 0, stripes, 1).data ?? [])]
      const lights = pixels.filter((_, index) => index % 4 === 0)
      return lights.reduce((second, light, bit) => second + (light > 127 ? 2 ** bit : 0), 0)
    }, STRIPES)

  /** Waits for that much of the video to have been played. */
  const play = (page: Page, seconds: number) =>
    page.locator('video').evaluate(async (element, seconds) => {
      const media = element as HTMLVideoElement
      const end = media.currentTime + seconds
      await media.play()
      while (media.currentTime < end) {
        await new Promise((resolve) => media.addEventListener('timeupdate', resolve, { once: true }))
      }
      media.pause()
      return media.currentTime
    }, seconds)

  it.each(['end', 'start'] as const)(
    'seeks thrice for less than 15 MB in all: index at the %s',
    async (moov) => {
      const url = await post(demo, join(demo.directory, `${moov}.mp4`), `${moov}-seeks.mp4`)
      const wire = await tapWire(`${demo.base}/?play=${moov}-seeks.mp4`, LINK)
      const page = await open(wire.url)
      for (const time of [120.5, 40.5, 80.5]) {
        await seek(page, time)
        // As a person does, who looks where that is; Chromium reads ahead meanwhile.
        await page.waitForTimeout(300)
      }
      expect(wire.passed).toBeLessThan(ENOUGH)
      // The server writes its lines of requests a few times a second.
      await expect.poll(() => demo.answers(url).length).toBeGreaterThanOrEqual(3)
      const answers = demo.answers(url)
      expect(answers.filter((answer) => !/^(206|304) bytes=/.test(answer))).toEqual([])
      // Seeks go by If-Range with the strong tag that the first answer had.
      // The library shows frames of others.
      const heads = wire.heads.filter((head) => head.startsWith(`GET ${new URL(url).pathname}`))
      const tags = heads.flatMap((head) => /^If-Range: (.*)$/im.exec(head)?.[1]?.trim() ?? [])
      // Chromium may have read ahead to one of the three places.
      expect(tags.length).toBeGreaterThanOrEqual(2)
      expect(new Set(tags).size).toBe(1)
      expect(tags[0]).toMatch(/^"[^"]+"$/)
    },
  )

  it.each([
    ['an upload on its page', put, (name: string) => `/?play=${name}`],
    ['a static file by itself', publish, (name: string) => `/assets/${name}`],
  ] as const)('plays, seeks by 206 and reloads by 304: %s', async (_name, place, path) => {
    const url = await place(demo, join(demo.directory, 'end.mp4'), 'plays.mp4')
    const video = url.replace('/videos/', '/get_video_by_name/')
    const page = await open(demo.base + path('plays.mp4'))
    const second = Math.floor(await play(page, 1))
    expect([second, second - 1]).toContain(await shownSecond(page))
    await seek(page, DURATION - 9.5)
    await expect.poll(() => demo.answers(video)).toContainEqual(expect.stringMatching(/^206 bytes=\d{7,}-/))

    // On the page the frame of its row asks for the same bytes, and only one of two at a time has Chromium's cache.
    const reload = async () => {
      const before = demo.answers(video).length
      await page.reload()
      await firstFrame(page)
      // Longer than the server collects lines of its log.
      await page.waitForTimeout(1000)
      return demo.answers(video).slice(before)
    }
    await expect.poll(reload, { timeout: 20_000 }).toContainEqual(expect.stringMatching(/^304 bytes=/))
    await seek(page, 70.5)
  })
})
