import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { describeWith } from '../support/tools.ts'
import { MIB } from './upload-page.ts'
import { UploadSite } from './upload-site.ts'

describeWith(['chromium'], 'deleting on the page', () => {
  let site: UploadSite

  beforeAll(async () => {
    site = await UploadSite.start()
  })

  afterAll(() => site.end())

  const put = async (key: string, body: string | Uint8Array<ArrayBuffer>) => {
    const response = await fetch(`${site.url}/videos/${key}`, { method: 'PUT', body })
    expect(response.ok).toBe(true)
  }

  const exists = async (key: string) =>
    (await fetch(`${site.url}/videos/${key}`, { method: 'HEAD' })).status === 200

  /** The page with one video of that name, which has captions. */
  async function open(name: string): Promise<Page> {
    const { path } = await site.film(name, MIB)
    const context = await site.browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    await page.clock.install()
    await page.goto(`${site.url}/?contains=${name}`)
    await page.setInputFiles('#upload input', path)
    await page.locator(`#rows [data-key="${name}"]`).waitFor()
    await put(`${name}.vtt`, 'WEBVTT')
    await page.locator('#queue li[data-state="stored"]').waitFor()
    return page
  }

  const row = (page: Page) => page.locator('#rows .row')
  const remove = (page: Page, name: string) => page.getByRole('button', { name: `Delete ${name}` }).click()

  it('asks the server when six seconds are over, for the captions, too', async () => {
    const page = await open('gone.mp4')
    await remove(page, 'gone.mp4')
    await page.locator('.toast').getByText('gone.mp4').waitFor()
    expect(await row(page).isVisible()).toBe(false)
    expect(await page.locator('video').count()).toBe(0)
    // Real time passes, too, and more of it on a busy machine.
    await page.clock.fastForward(3000)
    expect(await exists('gone.mp4')).toBe(true)
    // Away from the button: while somebody points at it time stands still.
    await page.mouse.move(10, 10)
    await page.clock.fastForward(6100)
    await expect.poll(() => exists('gone.mp4')).toBe(false)
    await expect.poll(() => exists('gone.mp4.vtt')).toBe(false)
    await page.locator('.toast').waitFor({ state: 'detached' })
    expect(await row(page).count()).toBe(0)
  })

  it('takes it back by the button and by a key', async () => {
    const page = await open('kept.mp4')
    await remove(page, 'kept.mp4')
    await page.getByRole('button', { name: 'Undo: keep kept.mp4' }).click()
    expect(await row(page).isVisible()).toBe(true)
    expect(await page.evaluate(() => document.activeElement?.classList.contains('open'))).toBe(true)
    await remove(page, 'kept.mp4')
    expect(await row(page).isVisible()).toBe(false)
    await page.keyboard.press('z')
    expect(await row(page).isVisible()).toBe(true)
    await page.clock.fastForward(20_000)
    expect(await page.locator('.toast').count()).toBe(0)
    expect(await exists('kept.mp4')).toBe(true)
  })

  it('is done at once when the page is left', async () => {
    const page = await open('left.mp4')
    await remove(page, 'left.mp4')
    await page.locator('.toast').getByText('left.mp4').waitFor()
    await page.goto(`${site.url}/healthz`)
    await expect.poll(() => exists('left.mp4')).toBe(false)
    await expect.poll(() => exists('left.mp4.vtt')).toBe(false)
  })

  it('shows the video again where the server refuses', async () => {
    const page = await open('refused.mp4')
    await page.route('**/videos/refused.mp4', (route) => route.fulfill({ status: 403, body: '{}' }))
    await remove(page, 'refused.mp4')
    await page.mouse.move(10, 10)
    await page.clock.fastForward(6100)
    await page.locator('#notice').getByText('The server refused').waitFor()
    expect(await row(page).isVisible()).toBe(true)
  })

  it('keeps a video that was uploaded under that name since', async () => {
    const page = await open('other.mp4')
    await remove(page, 'other.mp4')
    const other = await site.film('other content.mp4', MIB)
    await put('other.mp4', new Uint8Array(await readFile(other.path)))
    await page.mouse.move(10, 10)
    await page.clock.fastForward(6100)
    await page.locator('#notice').getByText('precondition').waitFor()
    expect(await site.digestOf('other.mp4')).toBe(other.digest)
  })

  it('is cancelled by an upload of the same file', async () => {
    const page = await open('again.mp4')
    await remove(page, 'again.mp4')
    await page.setInputFiles('#upload input', `${site.directory}/again.mp4`)
    await page.locator('.toast').waitFor({ state: 'detached' })
    expect(await row(page).isVisible()).toBe(true)
    await page.clock.fastForward(20_000)
    expect(await exists('again.mp4')).toBe(true)
  })
})
