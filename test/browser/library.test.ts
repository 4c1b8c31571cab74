import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { describeWith } from '../support/tools.ts'
import { makeVideo } from '../support/video.ts'
import { MIB } from './upload-page.ts'
import { UploadSite } from './upload-site.ts'

describeWith(['chromium', 'ffmpeg'], 'the library of the page', () => {
  let site: UploadSite
  let clip: Buffer

  beforeAll(async () => {
    site = await UploadSite.start()
    await makeVideo(join(site.directory, 'clip.mp4'), 2, '160x90')
    clip = await readFile(join(site.directory, 'clip.mp4'))
    for (let number = 0; number < 200; number++)
      await put(`clip ${String(number).padStart(3, '0')}.mp4`, clip)
  })

  afterAll(() => site.end())

  const put = async (key: string, content: Buffer) => {
    const body = new Uint8Array(content)
    const url = `${site.url}/videos/${encodeURIComponent(key)}`
    expect((await fetch(url, { method: 'PUT', body })).ok).toBe(true)
  }

  async function open(path: string, options: { javaScriptEnabled?: boolean } = {}): Promise<Page> {
    const context = await site.browser.newContext(options)
    onTestFinished(() => context.close())
    const page = await context.newPage()
    await page.goto(`${site.url}${path}`)
    return page
  }

  const names = (page: Page) => page.locator('#rows .name').allTextContents()

  it('shows 200 videos, 50 at a time, and moves focus to the first of those that came', async () => {
    const page = await open('/')
    expect((await names(page)).length).toBe(50)
    for (const count of [100, 150, 200]) {
      await page.getByRole('link', { name: 'Show more' }).click()
      await expect.poll(async () => (await names(page)).length).toBe(count)
    }
    expect(await page.evaluate(() => document.activeElement?.getAttribute('href'))).toBe(
      '/?play=clip%20049.mp4',
    )
    expect(await page.getByRole('link', { name: 'Show more' }).isVisible()).toBe(false)
    expect(new Set(await names(page)).size).toBe(200)
  })

  it('finds parts of names, marks them, and reports when no name matches', async () => {
    await put('Zébra.mp4', clip)
    const page = await open('/')
    await page.keyboard.press('/')
    await page.keyboard.type('clip 01')
    await expect.poll(async () => (await names(page)).length).toBe(10)
    expect(await page.locator('#count').textContent()).toMatch(/^10 videos, /)
    await page.getByRole('searchbox').fill('EBR')
    await expect.poll(() => names(page)).toEqual(['Zébra.mp4'])
    expect(await page.locator('#rows mark').textContent()).toBe('ébr')
    await page.getByRole('searchbox').fill('nobody')
    await page.getByText('No results for “nobody”').waitFor()
    await page.getByRole('searchbox').fill('')
    await expect.poll(async () => (await names(page)).length).toBe(50)
  })

  it('shows the newest first, and sorts by name and by size', async () => {
    const page = await open('/')
    await put('a newcomer.mp4', Buffer.concat([clip, Buffer.alloc(100_000)]))
    await page.reload()
    expect((await names(page))[0]).toBe('a newcomer.mp4')
    const first = async () => (await names(page))[0]
    await put('clip 000.mp4', clip)
    await page.getByRole('combobox', { name: 'Sort by' }).selectOption('Largest')
    await expect.poll(first).toBe('a newcomer.mp4')
    await page.getByRole('combobox', { name: 'Sort by' }).selectOption('Newest')
    await expect.poll(first).toBe('clip 000.mp4')
    await page.getByRole('combobox', { name: 'Sort by' }).selectOption('Name')
    await expect.poll(first).toBe('a newcomer.mp4')
    await fetch(`${site.url}/videos/a%20newcomer.mp4`, { method: 'DELETE' })
  })

  it('is a grid, or a list if the person prefers that, also in later visits', async () => {
    const page = await open('/')
    const columns = () =>
      page.locator('#rows').evaluate((rows) => getComputedStyle(rows).gridTemplateColumns.split(' ').length)
    expect(await columns()).toBeGreaterThan(2)
    await page.getByRole('button', { name: 'Show as a list' }).click()
    expect(await columns()).toBe(1)
    await page.reload()
    await page.getByRole('button', { name: 'Show as a grid' }).waitFor()
    expect(await columns()).toBe(1)
  })

  it('shows the video that plays first, if it is on another page', async () => {
    const page = await open('/?play=clip%20020.mp4')
    expect((await names(page))[0]).toBe('clip 020.mp4')
    expect(await page.locator('#rows [aria-current]').count()).toBe(1)
  })

  it('searches and turns pages without script', async () => {
    const page = await open('/?contains=lip%201&order=name', { javaScriptEnabled: false })
    expect((await names(page)).length).toBe(50)
    await page.getByRole('link', { name: 'Show more' }).click()
    expect((await names(page))[0]).toBe('clip 150.mp4')
    await page.getByRole('searchbox').fill('clip 19')
    await page.getByRole('button', { name: 'Show', exact: true }).click()
    await page.waitForURL(/contains=clip\+19/)
    expect((await names(page)).length).toBe(10)
  })

  it('follows what others do, without a reload', async () => {
    const page = await open('/?contains=fresh')
    await page.getByText('No results for “fresh”').waitFor()
    await page.getByRole('link', { name: 'Range server' }).focus()
    await put('fresh.mp4', clip)
    const focus = () => page.evaluate(() => void dispatchEvent(new Event('focus')))
    await focus()
    await expect.poll(() => names(page)).toEqual(['fresh.mp4'])
    await fetch(`${site.url}/videos/fresh.mp4`, { method: 'DELETE' })
    await focus()
    await page.getByText('No results for “fresh”').waitFor()
  })

  it('asks every ten seconds by itself, and is answered 304', async () => {
    const page = await open('/?contains=clip%20000')
    await page.clock.install()
    await page.reload()
    const cdp = await page.context().newCDPSession(page)
    await cdp.send('Network.enable')
    const lists = new Set<string>()
    const statuses: number[] = []
    cdp.on('Network.requestWillBeSent', ({ requestId, request }) => {
      if (/\/videos\?.*contains=clip/.test(request.url)) lists.add(requestId)
    })
    // As it came from the server; to the page it is the 200 that the browser has kept.
    cdp.on('Network.responseReceivedExtraInfo', ({ requestId, statusCode }) => {
      if (lists.has(requestId)) statuses.push(statusCode)
    })
    for (const count of [1, 2, 3]) {
      await page.clock.fastForward(10_000)
      await expect.poll(() => statuses.length).toBe(count)
    }
    // The first one is a 304, too, if the page asked once before the clock was stopped.
    expect(statuses.slice(1)).toEqual([304, 304])
    await put('clip 000b.mp4', clip)
    await page.clock.fastForward(10_000)
    await expect.poll(() => statuses.at(-1)).toBe(200)
    await expect.poll(() => names(page)).toContain('clip 000b.mp4')
  })

  it('makes posters of what is in view only, two at a time, once, from a few ranges', async () => {
    const film = await site.film('a film.mp4', 64 * MIB)
    await put(film.name, await readFile(film.path))
    const page = await open('/?contains=a%20film')
    const session = await page.context().newCDPSession(page)
    await session.send('Network.enable')
    const posters = page.locator('#rows img')
    await posters.first().waitFor()
    expect(await page.locator('#rows .length').first().textContent()).toMatch(/^0:\d\d$/)

    // Another context has nothing in its cache.
    const other = await open('/healthz')
    const cdp = await other.context().newCDPSession(other)
    await cdp.send('Network.enable')
    // Chromium reads ahead (up to 50 MiB) until a frame is decoded. On a busy machine that takes seconds, so loopback is too fast.
    await cdp.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: 2 * MIB,
      uploadThroughput: -1,
    })
    let [bytes, flying, most] = [0, 0, 0]
    const media = new Set<string>()
    const asked = new Set<string>()
    cdp.on('Network.requestWillBeSent', ({ requestId, request }) => {
      if (!request.url.includes('/get_video_by_name/')) return
      media.add(requestId)
      asked.add(request.url)
    })
    cdp.on('Network.dataReceived', ({ requestId, dataLength }) => {
      if (media.has(requestId)) bytes += dataLength
    })
    await other.exposeFunction('count', (by: number) => {
      flying += by
      most = Math.max(most, flying)
    })
    await other.addInitScript(`{
      const create = document.createElement.bind(document)
      document.createElement = (name) => {
        const element = create(name)
        if (name === 'video') {
          count(1)
          const remove = element.removeAttribute.bind(element)
          element.removeAttribute = (attribute) => { count(-1); remove(attribute) }
        }
        return element
      }
    }`)
    await other.goto(`${site.url}/`)
    const seen = () =>
      other
        .locator('#rows .row')
        .evaluateAll((rows) => rows.filter((row) => row.getBoundingClientRect().top < innerHeight).length)
    await expect.poll(() => other.locator('#rows img').count()).toBeGreaterThanOrEqual(await seen())
    expect(asked.size).toBeLessThan(20)
    expect(most).toBe(2)
    expect(bytes).toBeLessThan(16 * MIB)
    const before = media.size
    await other.reload()
    await expect.poll(() => other.locator('#rows img').count()).toBeGreaterThanOrEqual(await seen())
    expect(media.size).toBe(before)
  })
})
