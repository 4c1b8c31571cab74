import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { describeWith } from '../support/tools.ts'
import { makeVideo } from '../support/video.ts'
import { UploadSite } from './upload-site.ts'

const COUNT = 10

describeWith(['chromium', 'ffmpeg'], 'the page is quick', () => {
  let site: UploadSite

  beforeAll(async () => {
    site = await UploadSite.start()
    await makeVideo(join(site.directory, 'clip.mp4'), 30, '640x360')
    const clip = await readFile(join(site.directory, 'clip.mp4'))
    for (let number = 0; number < COUNT; number++) {
      const box = Buffer.from('\0\0\0\x0cfree\0\0\0\0', 'latin1')
      box.writeUInt32BE(number, 8)
      const body = new Uint8Array(Buffer.concat([clip, box]))
      await fetch(`${site.url}/videos/clip%20${number}.mp4`, { method: 'PUT', body })
    }
  })

  afterAll(() => site.end())

  async function open() {
    const context = await site.browser.newContext()
    onTestFinished(() => context.close())
    return context.newPage()
  }

  it('to load: few requests, few bytes, and a poster soon', async () => {
    const page = await open()
    const cdp = await page.context().newCDPSession(page)
    await cdp.send('Network.enable')
    const sizes = new Map<string, { readonly path: string; bytes: number }>()
    cdp.on('Network.requestWillBeSent', ({ requestId, request }) => {
      const { pathname, protocol } = new URL(request.url)
      if (protocol === 'http:' && !pathname.startsWith('/get_video_by_name/'))
        sizes.set(requestId, { path: pathname, bytes: 0 })
    })
    cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      const known = sizes.get(requestId)
      if (known !== undefined) known.bytes = encodedDataLength
    })
    await page.goto(site.url)
    await page.locator('#rows img').first().waitFor()
    const poster = await page.evaluate(() => Math.round(performance.now()))
    await page.waitForLoadState('networkidle')
    const asked = [...sizes.values()]
    const total = asked.reduce((sum, { bytes }) => sum + bytes, 0)
    console.log(`First load of ${COUNT} videos, beside them: ${asked.length} requests, ${total} bytes`)
    console.log(asked.map(({ path, bytes }) => `  ${path} ${bytes}`).join('\n'))
    console.log(`The first poster after ${poster} ms`)
    expect(new Set(asked.map(({ path }) => path))).toEqual(
      new Set(['/', '/page/favicon.svg', '/page/page.css', '/page/page.js']),
    )
    expect(total).toBeLessThan(46_000)
  })

  it('to play what is clicked on', async () => {
    const page = await open()
    await page.goto(site.url)
    await page.locator('#rows img').first().waitFor()
    const times: number[] = []
    for (let number = 0; number < COUNT; number++) {
      const time = await page.evaluate(
        (name) =>
          new Promise<number>((resolve) => {
            const began = performance.now()
            const done = () => resolve(performance.now() - began)
            document.addEventListener('playing', done, { capture: true, once: true })
            document.querySelector<HTMLElement>(`[data-key="${name}"] .open`)?.click()
          }),
        `clip ${number}.mp4`,
      )
      times.push(Math.round(time))
    }
    const median = times.toSorted((a, b) => a - b)[COUNT / 2] ?? 0
    console.log(`From the click until it plays: ${times.join(', ')} ms; the median is ${median} ms`)
    // A busy machine is given ten times what a quiet one takes.
    expect(median).toBeLessThan(1000)
  })
})
