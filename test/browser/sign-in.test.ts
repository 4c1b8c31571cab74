import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { expect, it, onTestFinished } from 'vitest'
import { startProxy } from '../support/proxy.ts'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { describeWith } from '../support/tools.ts'
import { sharedBrowser } from './shared-browser.ts'

const TOKEN = 'correct-horse-battery'
const CLIP = fileURLToPath(new URL('../../apps/server/assets/video/sample.mp4', import.meta.url))

async function open(javaScriptEnabled: boolean, ...more: string[]): Promise<{ page: Page; base: string }> {
  const flags = ['--port', '0', '--data', join(await temporaryDirectory(), 'data'), '--private', ...more]
  const server = new ServerProcess(flags, { RANGE_SERVER_TOKEN: TOKEN })
  onTestFinished(async () => void (await server.stop()))
  const context = await (await sharedBrowser()).newContext({ javaScriptEnabled })
  onTestFinished(() => context.close())
  const base = await server.url()
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  return { page, base }
}

async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

/** What a proxy adds for privacy. Chromium then sends `Origin: null` with a form. */
const NO_REFERRER = {
  nginx: 'add_header Referrer-Policy no-referrer always;',
  caddy: 'header {\n Referrer-Policy no-referrer\n defer\n}',
}

describeWith(['chromium', 'nginx', 'caddy'], 'behind a proxy that adds Referrer-Policy: no-referrer', () => {
  it.each([
    ['nginx', 'nginx.conf'],
    ['caddy', 'Caddyfile'],
  ] as const)('people sign in and upload through %s', async (kind, example) => {
    const { page, base } = await open(false, '--trust-proxy')
    const { url } = await startProxy(kind, example, [base], NO_REFERRER[kind])
    expect((await page.goto(url))?.headers()['referrer-policy']).toContain('no-referrer')
    await signIn(page, TOKEN)
    await page.setInputFiles('input[name=file]', CLIP)
    await page.getByRole('button', { name: 'Upload', exact: true }).click()
    await page.locator('#rows .name', { hasText: 'sample.mp4' }).waitFor()
  })
})

describeWith(['chromium'], 'signing in with Chromium', () => {
  it.each([true, false])('uploads, plays and signs out again (with script: %s)', async (withScript) => {
    const { page, base } = await open(withScript)
    expect((await page.goto(base))?.status()).toBe(401)
    await signIn(page, 'wrong-horse-battery')
    await page.getByRole('alert').filter({ hasText: 'The token is wrong.' }).waitFor()
    await signIn(page, TOKEN)
    // The script listens when the page has loaded.
    await page.waitForSelector('#upload')
    await page.waitForLoadState()
    await page.setInputFiles('input[name=file]', CLIP)
    if (!withScript) await page.getByRole('button', { name: 'Upload', exact: true }).click()
    await page.locator('#rows .name', { hasText: 'sample.mp4' }).waitFor()

    const asked = page.waitForResponse(
      (each) => new URL(each.url()).pathname === '/get_video_by_name/sample.mp4',
    )
    expect((await page.goto(`${base}/?play=sample.mp4`))?.status()).toBe(200)
    expect((await asked).status()).toBe(206)

    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Token').waitFor()
    expect((await page.goto(`${base}/get_video_by_name/sample.mp4`))?.status()).toBe(401)
  })
})
