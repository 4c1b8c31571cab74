// Makes docs/player.png: the page, playing an uploaded video after a seek. Run by `npm run screenshot`; needs Chromium.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const directory = await mkdtemp(join(tmpdir(), 'koa-range-'))
const server = spawn(process.execPath, [at('apps/server/dist/main.js'), '--port', '0', '--data', directory], {
  stdio: ['ignore', 'pipe', 'ignore'],
})
const [first] = await once(server.stdout, 'data')
const base = String(first).split('\n')[0]
const bytes = await readFile(at('apps/server/assets/video/sample.mp4'))

async function upload(name, content) {
  const form = new FormData()
  form.append('file', new Blob([content]), name)
  const response = await fetch(`${base}/video`, { method: 'POST', body: form })
  if (response.status !== 201) throw new Error(`The upload of ${name} was answered with ${response.status}`)
}

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
  // A free box behind the video makes contents differ and players not care.
  const others = ['bridge at dawn.mp4', 'field recording.mp4', 'entrevista nº 3.mp4', 'talk (final) #2.mp4']
  for (const [index, name] of others.entries()) {
    const padding = Buffer.alloc(40_000 * (index + 1) ** 2)
    const header = Buffer.from([0, 0, 0, 0, ...Buffer.from('free')])
    header.writeUInt32BE(header.length + padding.length)
    await upload(name, Buffer.concat([bytes, header, padding]))
  }
  await upload('running clock.mp4', bytes)
  const page = await browser.newPage({ viewport: { width: 1280, height: 760 } })
  await page.goto(`${base}/?play=${encodeURIComponent('running clock.mp4')}`)
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
  await page.screenshot({ path: at('docs/player.png') })
} finally {
  await browser.close()
  server.kill()
  await once(server, 'close')
  await rm(directory, { recursive: true, force: true })
}
