import { truncate, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { ServerProcess } from '../support/server.ts'
import { describeWith } from '../support/tools.ts'
import { MIB } from './upload-page.ts'
import { isDeleted, UploadSite } from './upload-site.ts'

describeWith(['chromium'], 'uploads on the page', () => {
  let site: UploadSite

  beforeAll(async () => {
    site = await UploadSite.start()
  })

  afterAll(() => site.end())

  it('sends the files that are dropped, two at a time, and lists them when they are there', async () => {
    const films = await Promise.all(
      ['one.mp4', 'two.mp4', 'three.mp4'].map((name) => site.film(name, 3 * MIB)),
    )
    const upload = await site.open()
    await upload.throttle(2 * MIB)
    await upload.drop(...films.map(({ path }) => path))
    await upload.reaches('two.mp4', 0.3)
    await upload.row('one.mp4', 'sending').waitFor()
    await upload.row('three.mp4', 'queued').waitFor()
    expect(await upload.row('two.mp4').locator('.state').textContent()).toMatch(/^\d+% · .+\/s · \d+ s left$/)
    await upload.throttle(-1)
    for (const { name, digest } of films) {
      await upload.isStored(name)
      expect(await site.digestOf(name)).toBe(digest)
    }
    expect(await upload.remembered()).toBe(0)
  })

  it('pauses and resumes an upload where it was, and leaves nothing of a cancelled one on the server', async () => {
    const [kept, dropped] = [await site.film('kept.mp4', 8 * MIB), await site.film('dropped.mp4', 8 * MIB)]
    const upload = await site.open()
    await upload.throttle(2 * MIB)
    await upload.drop(kept.path)
    await upload.reaches(kept.name, 0.3)
    await upload.button('Pause kept.mp4').click()
    await upload.row(kept.name, 'paused').waitFor()
    const paused = await upload.share(kept.name)
    await upload.drop(dropped.path)
    await upload.reaches(dropped.name, 0.3)
    expect(await upload.share(kept.name)).toBe(paused)
    expect(await isDeleted(upload.uploads[1])).toBe(false)

    // The same file again is not another one.
    await upload.drop(dropped.path)
    await upload.reaches(dropped.name, 0.4)
    await upload.button('Cancel dropped.mp4').click()
    await upload.row(dropped.name).waitFor({ state: 'detached' })
    await expect.poll(() => isDeleted(upload.uploads[1])).toBe(true)

    await upload.throttle(-1)
    await upload.button('Resume kept.mp4').click()
    await upload.isStored(kept.name)
    expect(await site.digestOf(kept.name)).toBe(kept.digest)
    expect(upload.uploads.length).toBe(2)
    expect(await upload.remembered()).toBe(0)
  })

  it('refuses the wrong type and the wrong size before anything is sent', async () => {
    const [text, huge] = [join(site.directory, 'notes.txt'), join(site.directory, 'huge.mp4')]
    await writeFile(text, 'no video')
    await writeFile(huge, '')
    await truncate(huge, 257 * MIB)
    const upload = await site.open()
    const sent: string[] = []
    upload.page.on('request', (request) => void (request.method() !== 'GET' && sent.push(request.url())))
    await upload.drop(text, huge)
    const alerts = upload.page.locator('#queue').getByRole('alert')
    await expect
      .poll(() => alerts.allInnerTexts())
      .toEqual([
        expect.stringContaining('The file is text/plain; this server accepts video/*, audio/*, text/vtt.'),
        expect.stringContaining('The file is 257 MiB; the limit is 256 MiB.'),
      ])
    expect(sent).toEqual([])
    await upload.button('Dismiss notes.txt').click()
    await upload.button('Dismiss huge.mp4').click()
    await upload.row(basename(huge)).waitFor({ state: 'detached' })
    expect(await upload.button('Choose files').evaluate((button) => button === document.activeElement)).toBe(
      true,
    )
  })

  it('says what the server refuses a file for, and does not try it again', async () => {
    const path = join(site.directory, 'disguised.mp4')
    await writeFile(path, `<html>${' '.repeat(2 * MIB)}`)
    const upload = await site.open()
    await upload.drop(path)
    await upload.row('disguised.mp4', 'failed').getByRole('alert').getByText(/type/).first().waitFor()
    await upload.page.waitForTimeout(1500)
    expect(upload.uploads.length).toBe(1)
    expect(await upload.button('Retry disguised.mp4').count()).toBe(0)
    await upload.button('Dismiss disguised.mp4').click()
    await expect.poll(() => upload.page.evaluate(() => localStorage.length)).toBe(0)
  })

  it('asks before it is left if a file still waits to be sent, and not otherwise', async () => {
    const films = await Promise.all(['a.mp4', 'b.mp4', 'c.mp4'].map((name) => site.film(name, 8 * MIB)))
    const upload = await site.open()
    await upload.throttle(2 * MIB)
    await upload.drop(...films.map(({ path }) => path))
    await upload.reaches('b.mp4', 0.1)
    // A page that nobody has touched may not ask.
    await upload.page.getByRole('heading', { name: 'Library' }).click()
    const asked: string[] = []
    upload.page.on('dialog', (dialog) => {
      asked.push(dialog.type())
      void dialog.dismiss()
    })
    await upload.page.evaluate(() => setTimeout(() => location.reload()))
    await expect.poll(() => asked).toEqual(['beforeunload'])
    await upload.button('Cancel c.mp4').click()
    await upload.page.reload()
    await upload.row('a.mp4', 'unfinished').waitFor()
    await upload.row('b.mp4', 'unfinished').waitFor()
    expect(asked.length).toBe(1)
  })

  it('shows the progress of all uploads together, and cancels all of them', async () => {
    const films = await Promise.all(['x.mp4', 'y.mp4', 'z.mp4'].map((name) => site.film(name, 8 * MIB)))
    const upload = await site.open()
    await upload.throttle(2 * MIB)
    await upload.drop(...films.map(({ path }) => path))
    await upload.reaches('y.mp4', 0.1)
    const overall = upload.page.locator('#overall')
    expect(await overall.locator('.state').textContent()).toMatch(/^3 uploads · .+ of 24 MiB$/)
    expect(
      await overall.locator('progress').evaluate((bar: HTMLProgressElement) => bar.value),
    ).toBeGreaterThan(0)
    await upload.button('Cancel all').click()
    await expect.poll(() => upload.page.locator('#queue li').count()).toBe(0)
    expect(await overall.isVisible()).toBe(false)
    await expect.poll(() => isDeleted(upload.uploads[0])).toBe(true)
  })

  it('reports that an upload got another name, because the name was taken', async () => {
    const { path } = await site.film('taken.mp4', MIB)
    const other = new File(['\0\0\0\x18ftypisom\0\0\x02\0isomiso2'], 'taken.mp4')
    await fetch(`${site.url}/videos/taken.mp4`, { method: 'PUT', body: other })
    const upload = await site.open()
    await upload.drop(path)
    await upload
      .row('taken.mp4', 'stored')
      .getByText('Uploaded as “taken-2.mp4”, because the name was taken')
      .waitFor()
  })

  it('stores captions with the video of their name that was dropped with them', async () => {
    const { path } = await site.film('spoken word.mp4', MIB)
    const captions = join(site.directory, 'spoken word.de.vtt')
    await writeFile(captions, 'WEBVTT\n')
    const upload = await site.open()
    await upload.drop(captions, path)
    await upload.isStored('spoken word.mp4')
    const exists = async () => (await fetch(`${site.url}/videos/spoken%20word.mp4.de.vtt`)).status
    await expect.poll(exists).toBe(200)
  })

  it('takes files that are pasted', async () => {
    const upload = await site.open()
    await upload.page.evaluate(() => {
      const clipboardData = new DataTransfer()
      clipboardData.items.add(new File(['no video'], 'pasted.txt', { type: 'text/plain' }))
      dispatchEvent(new ClipboardEvent('paste', { clipboardData }))
    })
    await upload.row('pasted.txt', 'failed').waitFor()
  })

  it('announces each tenth once, and moves focus to the link that plays the video', async () => {
    const { path, name } = await site.film('spoken.mp4', 3 * MIB)
    const upload = await site.open()
    await upload.page.evaluate(() => {
      const status = document.querySelector('#status')
      const said: string[] = []
      Object.assign(window, { said })
      if (status !== null)
        new MutationObserver(() => said.push(status.textContent ?? '')).observe(status, { childList: true })
    })
    await upload.throttle(2 * MIB)
    await upload.drop(path)
    await upload.button('Pause spoken.mp4').focus()
    await upload.isStored(name)
    const watch = upload.page.getByRole('link', { name: 'Watch spoken.mp4' })
    expect(await watch.evaluate((link) => link === document.activeElement)).toBe(true)
    const said = (await upload.page.evaluate('said')) as string[]
    const tenths = said.filter((text) => /^spoken\.mp4: \d+0%$/.test(text))
    expect(tenths.length).toBeGreaterThan(3)
    expect(new Set(tenths).size).toBe(tenths.length)
    expect(said).toContain('spoken.mp4 uploaded')
  })

  it('is not there, nor loaded, where nothing may be uploaded', async () => {
    const reader = new ServerProcess(['--port', '0', '--data', join(site.directory, 'data-2'), '--read-only'])
    onTestFinished(async () => void (await reader.stop()))
    const context = await site.browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).pathname))
    await page.goto(await reader.url())
    await page.waitForLoadState('networkidle')
    expect(asked).toContain('/page/page.js')
    expect(asked).not.toContain('/page/tus.js')
  })
})
