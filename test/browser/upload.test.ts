import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { ServerProcess } from '../support/server.ts'
import { describeWith } from '../support/tools.ts'
import { makeFilm } from './film.ts'
import { launch } from './launch.ts'
import { Line } from './line.ts'
import { MIB, UploadPage } from './upload-page.ts'

describeWith(['chromium'], 'uploads on the page', () => {
  let browser: Browser
  let directory: string
  let server: ServerProcess
  let base: string

  const flags = (port: string) => [
    ...['--port', port, '--data', join(directory, 'data')],
    ...['--max-file-size', '256MiB', '--log-level', 'error'],
  ]

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'koa-range-'))
    server = new ServerProcess(flags('0'))
    base = await server.url()
    browser = await launch(chromium)
  })

  afterAll(async () => {
    await browser.close()
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  })

  async function lineToServer(): Promise<Line> {
    const line = await Line.to(Number(new URL(base).port))
    onTestFinished(() => line.close())
    return line
  }

  async function film(name: string, size: number): Promise<{ path: string; name: string; digest: string }> {
    const path = join(directory, name)
    return { path, name, digest: await makeFilm(path, size) }
  }

  const digestOf = async (name: string): Promise<string | undefined> => {
    const { items } = await (await fetch(`${base}/videos?prefix=${encodeURIComponent(name)}`)).json()
    return items[0]?.digest
  }

  const isGone = async (upload: string | undefined): Promise<boolean> =>
    (await fetch(upload ?? '', { method: 'HEAD' })).status === 404

  it('sends the files that are dropped, two at a time, and lists them when they are there', async () => {
    const films = await Promise.all(['one.mp4', 'two.mp4', 'three.mp4'].map((name) => film(name, 3 * MIB)))
    const upload = await UploadPage.open(browser, base)
    await upload.throttle(2 * MIB)
    await upload.drop(...films.map(({ path }) => path))
    await upload.reaches('two.mp4', 0.3)
    await upload.row('one.mp4', 'sending').waitFor()
    await upload.row('three.mp4', 'queued').waitFor()
    expect(await upload.row('two.mp4').locator('.state').textContent()).toMatch(/^\d+% · .+\/s · \d+ s left$/)
    await upload.throttle(-1)
    for (const { name, digest } of films) {
      await upload.isStored(name)
      expect(await digestOf(name)).toBe(digest)
    }
    expect(await upload.page.evaluate(() => localStorage.length)).toBe(0)
  })

  it('pauses and goes on where it was, and leaves nothing on the server of what is cancelled', async () => {
    const [kept, dropped] = [await film('kept.mp4', 4 * MIB), await film('dropped.mp4', 4 * MIB)]
    const upload = await UploadPage.open(browser, base)
    await upload.throttle(2 * MIB)
    await upload.drop(kept.path)
    await upload.reaches(kept.name, 0.3)
    await upload.button('Pause kept.mp4').click()
    await upload.row(kept.name, 'paused').waitFor()
    const paused = await upload.share(kept.name)
    await upload.drop(dropped.path)
    await upload.reaches(dropped.name, 0.3)
    expect(await upload.share(kept.name)).toBe(paused)
    expect(await isGone(upload.uploads[1])).toBe(false)

    await upload.drop(dropped.path)
    await upload.reaches(dropped.name, 0.4)
    await upload.button('Cancel dropped.mp4').click()
    await upload.row(dropped.name).waitFor({ state: 'detached' })
    await expect.poll(() => isGone(upload.uploads[1])).toBe(true)

    await upload.button('Resume kept.mp4').click()
    await upload.isStored(kept.name)
    expect(await digestOf(kept.name)).toBe(kept.digest)
    expect(upload.uploads.length).toBe(2)
    expect(await upload.page.evaluate(() => localStorage.length)).toBe(0)
  })

  it('takes 200 MiB through a lost network and a reload', async () => {
    const line = await lineToServer()
    const { path, name, digest } = await film('long.mp4', 200 * MIB)
    const upload = await UploadPage.open(browser, line.url)
    await upload.throttle(50 * MIB)
    await upload.drop(path)
    await upload.reaches(name, 0.4)
    line.cut()
    await upload.setOffline(true)
    await upload.row(name, 'waiting').getByText('waiting for the network').waitFor()
    line.mend()
    await upload.setOffline(false)
    await upload.reaches(name, 0.7)
    await upload.page.reload()

    await upload.page.getByText(/^(69|7\d|8\d)% is on the server\./).waitFor()
    const chooser = upload.page.waitForEvent('filechooser')
    await upload.button('Choose file long.mp4').click()
    await (await chooser).setFiles(path)
    await upload.isStored(name)
    expect(upload.uploads.length).toBe(1)
    expect(await digestOf(name)).toBe(digest)
    const played = () => upload.page.locator('video').evaluate((media: HTMLVideoElement) => media.currentTime)
    await expect.poll(played).toBeGreaterThan(0)
  })

  it('goes on by itself when the server is back after a kill -9', async () => {
    const { path, name, digest } = await film('survivor.mp4', 6 * MIB)
    const upload = await UploadPage.open(browser, base)
    await upload.throttle(3 * MIB)
    await upload.drop(path)
    await upload.reaches(name, 0.5)
    await server.stop('SIGKILL')
    await upload.row(name, 'waiting').waitFor()
    server = new ServerProcess(flags(new URL(base).port))
    await server.url()
    await upload.isStored(name)
    expect(await digestOf(name)).toBe(digest)
    expect(upload.uploads.length).toBe(1)
  })

  it('notices that nothing gets through any more, and goes on as soon as the browser is online', async () => {
    const line = await lineToServer()
    const { path, name, digest } = await film('silent.mp4', 20 * MIB)
    const upload = await UploadPage.open(browser, line.url)
    const { clock } = upload.page
    await clock.install()
    await upload.throttle(4 * MIB)
    await upload.drop(path)
    await upload.reaches(name, 0.2)
    line.silence()
    await clock.pauseAt(Date.now() + 600_000)
    await upload.row(name, 'waiting').waitFor()
    line.mend()
    await upload.throttle(-1)
    // No timer runs: it is the event that wakes it.
    await upload.setOffline(true)
    await upload.setOffline(false)
    await upload.isStored(name)
    expect(await digestOf(name)).toBe(digest)
    expect(upload.uploads.length).toBe(1)
  })

  it('does not begin anew what the server is too busy to tell of', async () => {
    const line = await lineToServer()
    const { path, name, digest } = await film('busy.mp4', 4 * MIB)
    const upload = await UploadPage.open(browser, line.url)
    await upload.throttle(2 * MIB)
    await upload.drop(path)
    await upload.reaches(name, 0.3)
    // As a proxy does whose server is being restarted.
    const busy = { status: 503, headers: { 'Retry-After': '1' }, contentType: 'text/html', body: 'Busy' }
    await upload.page.route('**/uploads/*', (route) => route.fulfill(busy), { times: 1 })
    line.cut()
    line.mend()
    await upload.row(name, 'waiting').getByText('The server refused').waitFor()
    await upload.isStored(name)
    expect(await digestOf(name)).toBe(digest)
    expect(upload.uploads.length).toBe(1)
  })

  it('waits for its own library where that does not come', async () => {
    const { path, name } = await film('patient.mp4', MIB)
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    await page.route('**/tus.min.js*', (route) => route.abort(), { times: 3 })
    const upload = await UploadPage.tab(page, base)
    await upload.drop(path)
    await upload.row(name, 'waiting').waitFor()
    await upload.isStored(name)
  })

  it('refuses the wrong type and the wrong size before anything is sent', async () => {
    const [text, huge] = [join(directory, 'notes.txt'), join(directory, 'huge.mp4')]
    await writeFile(text, 'no video')
    await writeFile(huge, '')
    await truncate(huge, 257 * MIB)
    const upload = await UploadPage.open(browser, base)
    const sent: string[] = []
    upload.page.on('request', (request) => void (request.method() !== 'GET' && sent.push(request.url())))
    await upload.drop(text, huge)
    const alerts = upload.page.locator('#queue').getByRole('alert')
    await expect
      .poll(() => alerts.allInnerTexts())
      .toEqual([
        expect.stringContaining('The file is text/plain; this server takes video/*, audio/*.'),
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
    const path = join(directory, 'disguised.mp4')
    await writeFile(path, `<html>${' '.repeat(2 * MIB)}`)
    const upload = await UploadPage.open(browser, base)
    await upload.drop(path)
    await upload.row('disguised.mp4', 'failed').getByRole('alert').getByText(/type/).first().waitFor()
    await upload.page.waitForTimeout(1500)
    expect(upload.uploads.length).toBe(1)
    expect(await upload.button('Retry disguised.mp4').count()).toBe(0)
    await upload.button('Dismiss disguised.mp4').click()
    await expect.poll(() => upload.page.evaluate(() => localStorage.length)).toBe(0)
  })

  it('offers what an earlier visit left, to go on with the same file only, or to discard', async () => {
    const [begun, other] = [await film('begun.mp4', 4 * MIB), await film('other.mp4', 4 * MIB)]
    const upload = await UploadPage.open(browser, base)
    await upload.throttle(2 * MIB)
    await upload.drop(begun.path)
    await upload.reaches(begun.name, 0.3)
    await upload.page.reload()

    const choose = upload.button('Choose file begun.mp4')
    const chooser = upload.page.waitForEvent('filechooser')
    await choose.click()
    await (await chooser).setFiles(other.path)
    await upload.row(begun.name).getByRole('alert').getByText('That is not the same file').waitFor()
    expect(await isGone(upload.uploads[0])).toBe(false)

    // The same file, dropped, is known by itself.
    await upload.drop(begun.path)
    await upload.reaches(begun.name, 0.5)
    await upload.page.reload()
    await upload.button('Discard begun.mp4').click()
    await upload.row(begun.name).waitFor({ state: 'detached' })
    expect(await isGone(upload.uploads[0])).toBe(true)
    expect(upload.uploads.length).toBe(1)
    expect(await upload.page.evaluate(() => localStorage.length)).toBe(0)
  })

  it('lets one tab at a time send a file, and the other go on when that is closed', async () => {
    const { path, name, digest } = await film('shared.mp4', 5 * MIB)
    const first = await UploadPage.open(browser, base)
    await first.throttle(MIB)
    await first.drop(path)
    await first.reaches(name, 0.2)
    const second = await UploadPage.tab(await first.page.context().newPage(), base)
    await second.drop(path)
    await second.row(name, 'failed').getByText('Another tab is uploading this file').waitFor()
    await first.row(name, 'sending').waitFor()
    await first.page.close()
    await second.button('Retry shared.mp4').click()
    await second.isStored(name)
    expect(await digestOf(name)).toBe(digest)
    expect(second.uploads).toEqual([])
  })

  it('asks before it is left only for files that nobody would remember', async () => {
    const films = await Promise.all(['a.mp4', 'b.mp4', 'c.mp4'].map((name) => film(name, 4 * MIB)))
    const upload = await UploadPage.open(browser, base)
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

  it('takes files that are pasted', async () => {
    const upload = await UploadPage.open(browser, base)
    await upload.page.evaluate(() => {
      const clipboardData = new DataTransfer()
      clipboardData.items.add(new File(['no video'], 'pasted.txt', { type: 'text/plain' }))
      dispatchEvent(new ClipboardEvent('paste', { clipboardData }))
    })
    await upload.row('pasted.txt', 'failed').waitFor()
  })

  it('announces each tenth once, and moves focus on when a row goes', async () => {
    const { path, name } = await film('spoken.mp4', 3 * MIB)
    const upload = await UploadPage.open(browser, base)
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
    expect(await upload.button('Choose files').evaluate((button) => button === document.activeElement)).toBe(
      true,
    )
    const said = (await upload.page.evaluate('said')) as string[]
    const tenths = said.filter((text) => /^spoken\.mp4: \d+0%$/.test(text))
    expect(tenths.length).toBeGreaterThan(3)
    expect(new Set(tenths).size).toBe(tenths.length)
    expect(said).toContain('spoken.mp4 uploaded')
  })

  it('is not there, nor loaded, where nothing may be uploaded', async () => {
    const reader = new ServerProcess(['--port', '0', '--data', join(directory, 'data-2'), '--read-only'])
    onTestFinished(async () => void (await reader.stop()))
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).pathname))
    await page.goto(await reader.url())
    await page.waitForLoadState('networkidle')
    expect(asked).toContain('/page/page.js')
    expect(asked).not.toContain('/page/tus.min.js')
    expect((await fetch(`${await reader.url()}/page/tus.min.js`)).status).toBe(404)
  })
})
