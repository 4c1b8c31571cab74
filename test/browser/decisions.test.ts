import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ServerProcess } from '../support/server.ts'
import { describeWith } from '../support/tools.ts'
import { launch } from './launch.ts'

describeWith(['chromium'], 'what the page decides about an upload', () => {
  let browser: Browser
  let directory: string
  let server: ServerProcess
  let page: Page

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'koa-range-'))
    server = new ServerProcess(['--port', '0', '--data', directory, '--log-level', 'error'])
    browser = await launch(chromium)
    page = await browser.newPage()
    await page.goto(await server.url())
  })

  afterAll(async () => {
    await browser.close()
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  })

  /** Runs `code` with the exports of one of its modules; as text, because vitest rewrites import(). */
  const inPage = (module: string, names: string, code: string): Promise<unknown> =>
    page.evaluate(`import('/page/${module}.js').then(({ ${names} }) => (${code}))`)

  it.each([
    ['PATCH', 409, 'passing'],
    ['PATCH', 408, 'passing'],
    ['PATCH', 423, 'passing'],
    ['POST', 429, 'passing'],
    ['POST', 503, 'passing'],
    ['POST', 507, 'passing'],
    ['PATCH', 500, 'passing'],
    // The next attempt begins anew; a server that has no POST /video would be asked for ever.
    ['PATCH', 404, 'passing'],
    ['PATCH', 410, 'passing'],
    ['POST', 404, 'final, again'],
    ['POST', 400, 'final, again'],
    ['HEAD', 403, 'final, again'],
    ['POST', 413, 'final'],
    ['PATCH', 415, 'final'],
  ])('an answer to %s of %i is %s', async (method, status, expected) => {
    const answer = JSON.stringify({ method, status, body: '<html>', retryAfter: null })
    const verdict = `[kind, ...(again ? ['again'] : [])].join(', ')`
    const code = `(({ kind, again }) => ${verdict})(failureOf(${answer}))`
    expect(await inPage('failure', 'failureOf', code)).toBe(expected)
  })

  it('waits as long as the server asks, and tells its reason', async () => {
    const body = '{"title":"The server is full","detail":"3 bytes are left."}'
    const answer = JSON.stringify({ method: 'POST', status: 507, body, retryAfter: '60' })
    expect(await inPage('failure', 'failureOf', `failureOf(${answer})`)).toEqual({
      kind: 'passing',
      problem: { title: 'The server is full', detail: '3 bytes are left.' },
      after: 60_000,
    })
  })

  it('waits longer after each failure in a row, up to half a minute, and less by chance', async () => {
    const longest = '[1, 2, 3, 4, 5, 6, 60].map((failures) => backoff(failures, 1))'
    expect(await inPage('failure', 'backoff', longest)).toEqual([1, 2, 4, 8, 16, 30, 30].map((s) => s * 1000))
    expect(await inPage('failure', 'backoff', 'backoff(6, 0)')).toBe(15_000)
  })

  it('tells a speed that a moment does not change', async () => {
    // 1 MB/s for ten seconds, then nothing for one, then what an attempt went back by.
    const code = `(() => {
      const rate = new Rate()
      for (let time = 0; time <= 10; time += 0.1) rate.add(time * 1e6, time)
      const steady = rate.perSecond
      rate.add(10e6, 11)
      const dipped = rate.perSecond
      rate.add(4e6, 12)
      return [steady, dipped, rate.perSecond].map((speed) => Math.round(speed / 1e4) / 100)
    })()`
    const [steady, dipped, back] = (await inPage('rate', 'Rate', code)) as number[]
    expect(steady).toBeCloseTo(1, 1)
    expect(dipped).toBeGreaterThan(0.7)
    expect(dipped).toBeLessThan(0.95)
    expect(back).toBe(dipped)
  })

  it.each([
    ['video/mp4', 'video/*,audio/*', true],
    ['audio/flac', 'video/*,audio/*', true],
    ['text/plain', 'video/*,audio/*', false],
    ['video/webm', 'video/mp4', false],
    // The name says nothing, the server looks at the content.
    ['', 'video/*', true],
    ['application/ogg', 'video/*', true],
    ['text/plain', '', true],
  ])('a file of type %j is sent to a server of %j: %s', async (type, accept, sent) => {
    const code = `refusalOf(${JSON.stringify({ size: 1, type })}, ${JSON.stringify({ maxFileSize: 1, accept })}) === null`
    expect(await inPage('refusal', 'refusalOf', code)).toBe(sent)
  })
})
