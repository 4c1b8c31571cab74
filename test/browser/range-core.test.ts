import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { planResponse } from 'range-core'
import { expect, it, onTestFinished } from 'vitest'
import { REPOSITORY } from '../support/server.ts'
import { describeWith } from '../support/tools.ts'
import { sharedBrowser } from './shared-browser.ts'

const DIST = join(REPOSITORY, 'packages/range-core/dist')

/** The built files as they are, and an empty page to import them from. */
async function serveDist(): Promise<string> {
  const server = createServer(async (request, response) => {
    if (request.url === '/') return response.setHeader('Content-Type', 'text/html').end('<!doctype html>')
    if (!request.url?.endsWith('.js')) return response.writeHead(404).end()
    response.setHeader('Content-Type', 'text/javascript')
    return response.end(await readFile(join(DIST, basename(request.url))))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

describeWith(['chromium'], 'range-core in Chromium', () => {
  it.each(['page', 'worker'])('runs as it is built, in a %s', async (place) => {
    const page = await (await sharedBrowser()).newPage()
    onTestFinished(() => page.close())
    await page.goto(await serveDist())
    const request = { method: 'GET', headers: { range: 'bytes=0-0,-1', 'if-range': '"a"' } }
    const representation = { size: 100, etag: '"a"', type: 'text/plain' }
    const args = JSON.stringify([request, representation])
    const module = `${page.url()}index.js`
    // As text: vitest rewrites import() in functions.
    const inPage = `import('${module}').then(({ planResponse }) => planResponse(...${args}))`
    const code = `import { planResponse } from '${module}'; postMessage(planResponse(...${args}))`
    const inWorker = `new Promise((resolve, reject) => {
      const url = URL.createObjectURL(new Blob([${JSON.stringify(code)}], { type: 'text/javascript' }))
      const worker = new Worker(url, { type: 'module' })
      worker.onmessage = ({ data }) => resolve(data)
      worker.onerror = () => reject(new Error('the worker failed'))
    })`
    const plan = await page.evaluate(place === 'page' ? inPage : inWorker)
    const { kind, status, headers } = planResponse(request, representation)
    expect(plan).toMatchObject({ kind, status, headers: { ...headers, 'Content-Type': expect.any(String) } })
  })
})
