// Makes the pictures of the page in docs/: playing, listing, in the dark, on a phone, what happened, and uploads in each of their
// states. Run by `npm run screenshot`; needs Chromium and ffmpeg.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { makeFilms, shrink } from './screenshot-films.mjs'

const MIB = 1024 ** 2
const DESK = { width: 1280, height: 760 }
const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const directory = await mkdtemp(join(tmpdir(), 'koa-range-'))
const bytes = await readFile(at('apps/server/assets/video/sample.mp4'))

async function start(port) {
  const flags = ['--port', port, '--data', join(directory, 'data')]
  const child = spawn(process.execPath, [at('apps/server/dist/main.js'), ...flags], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [first] = await once(child.stdout, 'data')
  return { child, url: String(first).split('\n')[0] }
}

/** A free box behind the video makes contents differ and players not care. */
function film(padding) {
  const header = Buffer.from([0, 0, 0, 0, ...Buffer.from('free')])
  header.writeUInt32BE(header.length + padding)
  return Buffer.concat([bytes, header, Buffer.alloc(padding)])
}

async function put(base, name) {
  const body = await readFile(join(directory, name))
  const response = await fetch(`${base}/videos/${encodeURIComponent(name)}`, { method: 'PUT', body })
  if (response.status !== 201) throw new Error(`The upload of ${name} was answered with ${response.status}`)
}

/** Plays a little, until the posters are there. */
async function playAt(page, path, name, time) {
  await page.goto(`${path}/?play=${encodeURIComponent(name)}&t=${time}`)
  await page.waitForFunction(() => customElements.get('media-controller') !== undefined)
  await page.locator('video').evaluate(async (video) => {
    video.muted = true
    if (video.textTracks[0] !== undefined) video.textTracks[0].mode = 'showing'
    await video.play()
  })
  await page.waitForTimeout(3000)
  await page.locator('video').evaluate((video) => video.pause())
  await page.mouse.move(300, 300)
  await page.mouse.move(340, 320)
  await page.waitForTimeout(600)
}

async function shootPages(browser, base) {
  const open = (options) => browser.newPage({ viewport: DESK, ...options })
  const save = async (target, name) => {
    const path = at(`docs/${name}.png`)
    await target.screenshot({ path })
    await shrink(path)
  }

  const light = await open({})
  await playAt(light, base, 'evening ferry.mp4', 32)
  await save(light, 'player')
  await light.getByText('Request log').click()
  await light.waitForTimeout(1200)
  await light.keyboard.press('7')
  await light.keyboard.press('k')
  await light.waitForTimeout(2500)
  await light.keyboard.press('k')
  await light.waitForTimeout(1500)
  await light.locator('#requests').scrollIntoViewIfNeeded()
  await light.evaluate(() => document.activeElement.blur())
  await save(light.locator('#requests'), 'what-happened')
  await light.goto(base)
  await light.waitForTimeout(3000)
  await save(light, 'library')

  const dark = await open({ colorScheme: 'dark' })
  await playAt(dark, base, 'northern lights, uncut.mp4', 18)
  await save(dark, 'dark')

  const phone = await open({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 1.5 })
  await playAt(phone, base, 'evening ferry.mp4', 32)
  await save(phone, 'phone')
  for (const page of [light, dark, phone]) await page.close()
}

async function shootUploads(page, base) {
  await page.goto(`${base}/`)
  const session = await page.context().newCDPSession(page)
  const throttle = (uploadThroughput) =>
    session.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput,
    })
  const shoot = async (name) => {
    // Hovering is no part of a state.
    await page.mouse.move(400, 300)
    await page.waitForTimeout(600)
    const { x, y, width, height } = await page.locator('.upload').boundingBox()
    const clip = { x: x - 20, y: y - 20, width: width + 40, height: height + 40 }
    await page.screenshot({ path: at(`docs/upload-${name}.png`), clip })
  }
  const names = ['harbour at night.mp4', 'concert, second half.mp4', 'lecture 07.mp4']
  const paths = names.map((name) => join(directory, name))
  const sizes = [48, 31, 12]
  for (const [index, path] of paths.entries()) await writeFile(path, film(sizes[index] * MIB))

  await throttle(12 * MIB)
  await page.setInputFiles('#upload input', paths)
  await page.waitForTimeout(3000)
  await shoot('sending')
  await page.getByRole('button', { name: `Pause ${names[1]}` }).click()
  server.child.kill('SIGKILL')
  await once(server.child, 'close')
  await page.locator('[data-state="waiting"]').first().waitFor()
  await shoot('waiting')
  server = await start(new URL(base).port)
  page.once('dialog', (dialog) => dialog.accept())
  await page.reload()
  await page.locator('[data-state="unfinished"]').first().waitFor()
  await shoot('unfinished')
}

let server = await start('0')
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--disable-background-networking',
    '--hide-scrollbars',
  ],
})
try {
  const base = server.url
  for (const name of await makeFilms(directory)) await put(base, name)
  await shootPages(browser, base)
  const sharp = await browser.newPage({ viewport: DESK, deviceScaleFactor: 2 })
  await shootUploads(sharp, base)
} finally {
  await browser.close()
  server.child.kill()
  await once(server.child, 'close')
  await rm(directory, { recursive: true, force: true })
}
