import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type Uppy from '@uppy/core'
import type Tus from '@uppy/tus'
import { rolldown } from 'rolldown'
import { expect, it, onTestFinished } from 'vitest'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { describeWith } from '../support/tools.ts'
import { sharedBrowser } from './shared-browser.ts'

/** What the bundle leaves in the page. */
interface WithUppy {
  readonly Uppy: typeof Uppy
  readonly Tus: typeof Tus
}

const ENTRY = 'uppy-entry'
const SOURCE = `import Uppy from '@uppy/core'; import Tus from '@uppy/tus'; Object.assign(window, { Uppy, Tus })`
const SIZE = 3_000_000

/** Uppy and its tus plugin as one script, as an app's bundler makes it. */
async function bundle(): Promise<string> {
  const build = await rolldown({
    input: ENTRY,
    platform: 'browser',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === ENTRY ? `${import.meta.dirname}/${ENTRY}.js` : null),
        load: (id) => (id.endsWith(`${ENTRY}.js`) ? SOURCE : null),
      },
    ],
  })
  const { output } = await build.generate({ format: 'iife' })
  await build.close()
  return output[0].code
}

/** A page of an app, at an origin of its own. */
async function servePage(): Promise<string> {
  const script = await bundle()
  const server = createServer((request, response) => {
    const isScript = request.url === '/uppy.js'
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? script : '<!doctype html><script src="/uppy.js"></script>')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describeWith(['chromium'], 'Uppy with its tus plugin in Chromium', () => {
  it.each([1, 4])(
    'uploads a file to a server of another origin, in %d parts at once',
    async (parallelUploads) => {
      const origin = await servePage()
      const flags = ['--port', '0', '--data', await temporaryDirectory(), '--accept', '*/*']
      const server = new ServerProcess([...flags, '--cors-origin', origin])
      onTestFinished(async () => void (await server.stop('SIGKILL')))
      const base = await server.url()
      const page = await (await sharedBrowser()).newPage()
      onTestFinished(() => page.close())
      await page.goto(origin)
      const bytes = randomBytes(SIZE)
      const given = { text: bytes.toString('base64'), endpoint: `${base}/files`, parallelUploads }
      const uploaded = await page.evaluate(async ({ text, endpoint, parallelUploads }) => {
        const { Uppy, Tus } = window as unknown as WithUppy
        const data = new Blob([Uint8Array.from(atob(text), (character) => character.charCodeAt(0))])
        const uppy = new Uppy().use(Tus, { endpoint, parallelUploads, chunkSize: 700_000 })
        uppy.addFile({ name: 'film.mp4', type: 'video/mp4', data })
        const result = await uppy.upload()
        return [result?.successful?.length, result?.failed?.map(({ error }) => error)]
      }, given)
      expect(uploaded).toEqual([1, []])
      const digest = createHash('sha256').update(bytes).digest('hex')
      const { items } = await (await fetch(`${base}/videos`)).json()
      expect(items).toMatchObject([{ key: 'film.mp4', size: SIZE, digest }])
    },
  )
})
