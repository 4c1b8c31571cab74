// Makes docs/player.png and docs/upload-*.png: the page, playing an uploaded video after a seek, and uploads in each of their
// states. Run by `npm run screenshot`; needs Chromium.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const MIB = 1024 ** 2
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

async function upload(base, name, content) {
  const form = new FormData()
  form.append('file', new Blob([content]), name)
  const response = await fetch(`${base}/video`, { method: 'POST', body: form })
  if (response.status !== 201) throw new Error(`The upload of ${name} was answered with ${response.status}`)
}

async function playAfterSeek(page) {
  await page.locator('video').evaluate(async (video) => {
    video.muted = true
    await video.play()
    const seeked = new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }))
    video.currentTime = 12.25
    await seeked
    await new Promise((resolve) => setTimeout(resolve, 300))
    video.pause()
  })
  await page.mouse.move(400, 300)
  await page.waitForTimeout(500)
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
  const bottom = () => page.locator('.upload').evaluate((panel) => panel.getBoundingClientRect().bottom)
  const shoot = async (name, end) => {
    // Hovering is no part of a state.
    await page.mouse.move(400, 300)
    await page.waitForTimeout(600)
    const height = (end ?? (await bottom()) + 28) - 48
    const clip = { x: 806, y: 48, width: 458, height }
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
  await throttle(-1)
  await page.setInputFiles('#upload input', paths)
  await page.getByRole('link', { name: `Download ${names[2]}` }).waitFor()
  await page.locator('#queue li').first().waitFor({ state: 'detached' })
  await shoot('finished', 620)
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
  const others = ['bridge at dawn.mp4', 'field recording.mp4', 'entrevista nº 3.mp4', 'talk (final) #2.mp4']
  for (const [index, name] of others.entries()) await upload(base, name, film(40_000 * (index + 1) ** 2))
  await upload(base, 'running clock.mp4', bytes)
  const page = await browser.newPage({ viewport: { width: 1280, height: 760 } })
  await page.goto(`${base}/?play=${encodeURIComponent('running clock.mp4')}`)
  await playAfterSeek(page)
  await page.screenshot({ path: at('docs/player.png') })
  const sharp = await browser.newPage({ viewport: { width: 1280, height: 760 }, deviceScaleFactor: 2 })
  await shootUploads(sharp, base)
} finally {
  await browser.close()
  server.child.kill()
  await once(server.child, 'close')
  await rm(directory, { recursive: true, force: true })
}
