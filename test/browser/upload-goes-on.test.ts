import { mkdir, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { describeWith } from '../support/tools.ts'
import { MIB, UploadPage } from './upload-page.ts'
import { isDeleted, UploadSite } from './upload-site.ts'

describeWith(['chromium'], 'an upload on the page goes on', () => {
  let site: UploadSite

  beforeAll(async () => {
    site = await UploadSite.start()
  })

  afterAll(() => site.end())

  it('takes 200 MiB through a lost network and a reload', async () => {
    const line = await site.line()
    const { path, name, digest } = await site.film('long.mp4', 200 * MIB)
    const upload = await site.open(line.url)
    await upload.throttle(50 * MIB)
    await upload.drop(path)
    await upload.reaches(name, 0.4)
    line.cut()
    await upload.setOffline(true)
    await upload.row(name, 'waiting').getByText('waiting for the network').waitFor()
    line.mend()
    await upload.setOffline(false)
    await upload.throttle(20 * MIB)
    await upload.reaches(name, 0.7)
    await upload.page.reload()
    await upload.throttle(-1)

    // How much more arrived before the reload depends on the machine.
    await upload.page.getByText(/^[5-9]\d% is on the server\./).waitFor()
    const chooser = upload.page.waitForEvent('filechooser')
    await upload.button('Choose file long.mp4').click()
    await (await chooser).setFiles(path)
    await upload.isStored(name)
    expect(upload.uploads.length).toBe(1)
    expect(await site.digestOf(name)).toBe(digest)
    await upload.page.getByRole('link', { name: `Watch ${name}` }).click()
    const played = () => upload.page.locator('video').evaluate((media: HTMLVideoElement) => media.currentTime)
    await expect.poll(played).toBeGreaterThan(0)
  })

  it('resumes by itself when the server is back after a kill -9', async () => {
    const { path, name, digest } = await site.film('survivor.mp4', 12 * MIB)
    const upload = await site.open()
    await upload.throttle(3 * MIB)
    await upload.drop(path)
    await upload.reaches(name, 0.5)
    await site.kill()
    await upload.row(name, 'waiting').waitFor()
    await upload.throttle(-1)
    await site.restart()
    await upload.isStored(name)
    expect(await site.digestOf(name)).toBe(digest)
    expect(upload.uploads.length).toBe(1)
  })

  it('notices that the connection is dead, and resumes as soon as the browser is online', async () => {
    const line = await site.line()
    const { path, name, digest } = await site.film('silent.mp4', 20 * MIB)
    const upload = await site.open(line.url)
    const { clock } = upload.page
    await clock.install()
    await upload.throttle(4 * MIB)
    await upload.drop(path)
    await upload.reaches(name, 0.2)
    line.silence()
    await clock.pauseAt(Date.now() + 600_000)
    const waiting = upload.row(name, 'waiting')
    // Bytes that were on their way may still be acknowledged, and start the time limit again.
    for (let tries = 0; tries < 5 && !(await waiting.isVisible()); tries++) {
      if (tries > 0) await clock.fastForward(60_000)
      await waiting.waitFor({ timeout: 5000 }).catch(() => {})
    }
    await waiting.waitFor()
    line.mend()
    await upload.throttle(-1)
    // No timer runs: it is the event that wakes it.
    await upload.setOffline(true)
    await upload.setOffline(false)
    await upload.isStored(name)
    expect(await site.digestOf(name)).toBe(digest)
    expect(upload.uploads.length).toBe(1)
  })

  it('does not restart an upload whose status the server is too busy to report', async () => {
    const line = await site.line()
    const { path, name, digest } = await site.film('busy.mp4', 8 * MIB)
    const upload = await site.open(line.url)
    await upload.throttle(2 * MIB)
    await upload.drop(path)
    await upload.reaches(name, 0.3)
    // As a proxy does whose server is being restarted.
    const busy = { status: 503, headers: { 'Retry-After': '1' }, contentType: 'text/html', body: 'Busy' }
    await upload.page.route('**/uploads/*', (route) => route.fulfill(busy), { times: 1 })
    line.cut()
    line.mend()
    await upload.row(name, 'waiting').getByText('The server refused').waitFor()
    await upload.throttle(-1)
    await upload.isStored(name)
    expect(await site.digestOf(name)).toBe(digest)
    expect(upload.uploads.length).toBe(1)
  })

  it('finds out that a file is stored where the answer was lost', async () => {
    const line = await site.line()
    const { path, name, digest } = await site.film('unheard.mp4', 5 * MIB)
    const upload = await site.open(line.url)
    await upload.throttle(2 * MIB)
    await upload.drop(path)
    await upload.reaches(name, 0.3)
    line.mute()
    await expect.poll(() => site.digestOf(name), { timeout: 10_000 }).toBe(digest)
    await upload.row(name, 'sending').getByText('Saving').waitFor()
    line.cut()
    line.mend()
    await upload.isStored(name)
    expect(upload.uploads.length).toBe(1)
  })

  it('says of a file that was changed meanwhile, and of a folder, that it cannot be read', async () => {
    const { path, name } = await site.film('edited.mp4', 8 * MIB)
    const folder = join(site.directory, 'folder.mp4')
    await mkdir(folder)
    const upload = await site.open()
    await upload.throttle(2 * MIB)
    await upload.drop(path)
    await upload.reaches(name, 0.3)
    await truncate(path, 7 * MIB)
    await upload.button('Pause edited.mp4').click()
    await upload.button('Resume edited.mp4').click()
    await upload.drop(folder)
    for (const unreadable of [name, 'folder.mp4'])
      await upload.row(unreadable, 'failed').getByText('The file cannot be read').waitFor()
  })

  it('waits for its own library where that does not come', async () => {
    const { path, name } = await site.film('patient.mp4', MIB)
    const context = await site.browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    await page.route('**/tus.js*', (route) => route.abort(), { times: 3 })
    const upload = await UploadPage.tab(page, site.url)
    await upload.drop(path)
    await upload.row(name, 'waiting').waitFor()
    await upload.isStored(name)
  })

  it('offers to resume or discard an upload of an earlier visit, and resumes it only with the same file', async () => {
    const [begun, other] = [await site.film('begun.mp4', 8 * MIB), await site.film('other.mp4', 4 * MIB)]
    const upload = await site.open()
    await upload.throttle(2 * MIB)
    await upload.drop(begun.path)
    await upload.reaches(begun.name, 0.3)
    await upload.page.reload()

    const choose = upload.button('Choose file begun.mp4')
    const chooser = upload.page.waitForEvent('filechooser')
    await choose.click()
    await (await chooser).setFiles(other.path)
    await upload.row(begun.name).getByRole('alert').getByText('That is not the same file').waitFor()
    expect(await isDeleted(upload.uploads[0])).toBe(false)

    // The same file, dropped, is known by itself.
    await upload.drop(begun.path)
    await upload.reaches(begun.name, 0.5)
    await upload.page.reload()
    await upload.button('Discard begun.mp4').click()
    await upload.row(begun.name).waitFor({ state: 'detached' })
    expect(await isDeleted(upload.uploads[0])).toBe(true)
    expect(upload.uploads.length).toBe(1)
    expect(await upload.remembered()).toBe(0)
  })

  it('lets one tab at a time send or discard a file, and another tab resume it when the first is closed', async () => {
    const { path, name, digest } = await site.film('shared.mp4', 20 * MIB)
    const first = await site.open()
    await first.throttle(MIB)
    await first.drop(path)
    await first.reaches(name, 0.05)
    const second = await UploadPage.tab(await first.page.context().newPage(), site.url)
    await second.drop(path)
    await second.row(name, 'failed').getByText('Another tab is uploading this file').waitFor()
    await first.row(name, 'sending').waitFor()

    // What is paused here is on offer there, but not to be discarded while it goes on here.
    await first.button('Pause shared.mp4').click()
    await second.page.reload()
    await second.row(name, 'unfinished').waitFor()
    await first.button('Resume shared.mp4').click()
    await first.row(name, 'sending').waitFor()
    await second.button('Discard shared.mp4').click()
    await second.row(name).getByText('Another tab is uploading this file').waitFor()
    await first.page.close()

    await second.drop(path)
    await second.isStored(name)
    expect(await site.digestOf(name)).toBe(digest)
    expect(second.uploads).toEqual([])
  })
})
