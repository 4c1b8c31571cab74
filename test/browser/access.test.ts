import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import axe, { type AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { describeWith } from '../support/tools.ts'
import { makeVideo } from '../support/video.ts'
import { UploadSite } from './upload-site.ts'

const PHONE = { width: 360, height: 740 }
const DESK = { width: 1280, height: 760 }

/** What a person does to have each state of the page before them. */
const STATES: Readonly<Record<string, (page: Page, directory: string) => Promise<void>>> = {
  'the list': async (page) => {
    await page.goto('/')
    await page.locator('#rows img').first().waitFor()
  },
  'the list without pictures': async (page) => {
    await page.goto('/')
    await page.getByRole('button', { name: 'Show as a list' }).click()
  },
  'a link to a video that does not exist': async (page) => {
    await page.goto('/?play=unknown.mp4')
    await page.getByText('This video does not exist').waitFor()
  },
  'a finished upload': async (page, directory) => {
    await page.goto('/')
    await page.setInputFiles('#upload input', join(directory, 'clip.mp4'))
    await page.getByRole('link', { name: 'Watch clip.mp4' }).waitFor()
  },
  'nothing found': async (page) => {
    await page.goto('/?contains=nothing')
    await page.getByText('No results for').waitFor()
  },
  'the player, with the request log': async (page) => {
    await page.goto('/?play=clip.mp4&t=1')
    await page.waitForFunction(() => (document.querySelector('video')?.readyState ?? 0) > 1)
    await page.waitForFunction(() => customElements.get('media-volume-range') !== undefined)
    await page.getByText('Request log').click()
    await page
      .locator('#requests tbody')
      .getByText(/^206 bytes/)
      .first()
      .waitFor()
  },
  'a file that does not play': async (page) => {
    await page.goto('/?play=odd.mp4')
    await page.getByText('ffmpeg -i odd.mp4').waitFor()
  },
  'the queue, with a refusal': async (page, directory) => {
    await page.goto('/')
    await page.route('**/video?*', (route) => route.abort())
    await page.setInputFiles('#upload input', [join(directory, 'notes.txt'), join(directory, 'clip.mp4')])
    await page.locator('[data-state="failed"]').getByRole('alert').waitFor()
    await page.locator('[data-state="waiting"]').waitFor()
  },
  'a deletion to undo': async (page, directory) => {
    // When the page is left it is gone.
    await page.request.put('/videos/spare.mp4', { data: await readFile(join(directory, 'clip.mp4')) })
    await page.goto('/')
    await page.getByRole('button', { name: 'Delete spare.mp4' }).click()
    await page.locator('.toast').waitFor()
  },
  'the keyboard shortcuts': async (page) => {
    await page.goto('/')
    await page.getByRole('button', { name: 'Keyboard shortcuts' }).click()
    await page.getByRole('dialog').waitFor()
  },
}

describeWith(['chromium', 'ffmpeg'], 'the page for everybody', () => {
  let site: UploadSite

  beforeAll(async () => {
    site = await UploadSite.start()
    const clip = join(site.directory, 'clip.mp4')
    await makeVideo(clip, 3)
    await writeFile(join(site.directory, 'notes.txt'), 'no video')
    const bytes = await readFile(clip)
    const odd = Buffer.concat([bytes.subarray(0, 64), Buffer.alloc(5000)])
    for (const [key, body] of [['clip.mp4', bytes] as const, ['odd.mp4', odd] as const])
      await fetch(`${site.url}/videos/${key}`, { method: 'PUT', body: new Uint8Array(body) })
  })

  afterAll(() => site.end())

  async function newPage(colorScheme: 'light' | 'dark', viewport: typeof DESK): Promise<Page> {
    const context = await site.browser.newContext({
      baseURL: site.url,
      colorScheme,
      viewport,
      // Colours on their way are neither those that were nor those that will be.
      reducedMotion: 'reduce',
    })
    onTestFinished(() => context.close())
    return context.newPage()
  }

  const cases = Object.keys(STATES).flatMap((state) => [
    [state, 'light', 'a desk', DESK] as const,
    [state, 'dark', 'a phone', PHONE] as const,
  ])

  it.each(cases)(
    'axe finds nothing in %s, %s, on %s, which it fits',
    async (state, colours, _place, viewport) => {
      const page = await newPage(colours, viewport)
      await STATES[state]?.(page, site.directory)
      await page.evaluate(axe.source)
      const { violations } = await page.evaluate(
        (): Promise<AxeResults> => Reflect.get(globalThis, 'axe').run(document),
      )
      const found = violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])
      expect(found).toEqual([])
      if (viewport === PHONE) await expectToFitPhone(page)
    },
  )

  /** Nothing to scroll sideways, and nothing to tap that is too small for a finger. */
  async function expectToFitPhone(page: Page): Promise<void> {
    const { width, small } = await page.evaluate(() => ({
      width: document.documentElement.scrollWidth,
      small: [...document.querySelectorAll<HTMLElement>('button, .button, a.tool, a.open, summary')]
        .filter((element) => element.checkVisibility() && element.getBoundingClientRect().height < 44)
        .map((element) => element.outerHTML),
    }))
    expect(width).toBe(PHONE.width)
    expect(small).toEqual([])
  }

  it('is dark for visitors who prefer dark pages', async () => {
    const ground = async (colours: 'light' | 'dark') => {
      const page = await newPage(colours, DESK)
      await page.goto('/')
      return page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    }
    expect(await ground('light')).toBe('rgb(246, 245, 241)')
    expect(await ground('dark')).toBe('rgb(16, 19, 18)')
  })
})
