import { createHash, randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import type { Upload, UploadOptions } from 'tus-js-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Demo } from '../clients/demo.ts'
import { describeWith } from '../support/tools.ts'
import { sharedBrowser } from './shared-browser.ts'

/** What the library's build for browsers leaves in a page. */
interface WithTus {
  readonly tus: { readonly Upload: typeof Upload }
}

const SIZE = 3_000_000
const CHUNK = 700_000

describeWith(['chromium'], 'tus-js-client in Chromium', () => {
  let demo: Demo
  let page: Page

  beforeAll(async () => {
    demo = await Demo.start()
    // The library is not the page's own script.
    page = await (await sharedBrowser()).newPage({ bypassCSP: true })
    await page.goto(demo.base)
    await page.addScriptTag({ path: fileURLToPath(import.meta.resolve('tus-js-client/dist/tus.min.js')) })
  })

  afterAll(async () => {
    await page?.close()
    await demo?.stop()
  })

  /** Uploads the bytes, aborting and going on once when so many have been taken; gives the offsets that it was told. */
  function send(
    bytes: Buffer,
    options: Pick<UploadOptions, 'endpoint' | 'chunkSize' | 'metadata' | 'parallelUploads'> & {
      readonly protocol: string
    },
    abortAt = Number.POSITIVE_INFINITY,
  ): Promise<readonly number[]> {
    const work = async (given: { text: string; options: UploadOptions; abortAt: number }) => {
      const binary = atob(given.text)
      const file = new File([Uint8Array.from(binary, (character) => character.charCodeAt(0))], 'film.mp4')
      const accepted: number[] = []
      await new Promise<void>((resolve, reject) => {
        let aborted = false
        const upload = new (window as unknown as WithTus).tus.Upload(file, {
          ...given.options,
          chunkSize: given.options.chunkSize ?? Number.POSITIVE_INFINITY,
          retryDelays: null,
          storeFingerprintForResuming: false,
          onChunkComplete: (_size, offset) => {
            accepted.push(offset)
            if (aborted || offset < given.abortAt) return
            aborted = true
            upload.abort().then(() => upload.start(), reject)
          },
          onSuccess: () => resolve(),
          onError: reject,
        })
        upload.start()
      })
      return accepted
    }
    return page.evaluate(work, { text: bytes.toString('base64'), options, abortAt })
  }

  it.each([
    ['tus-v1', '/files'],
    ['ietf-draft-05', '/video'],
    ['ietf-draft-03', '/video'],
  ])('sends a file by %s whole, in chunks, and after an abort: one object', async (protocol, endpoint) => {
    const bytes = randomBytes(SIZE)
    const digest = createHash('sha256').update(bytes).digest('hex')
    const options = { endpoint, protocol, metadata: { filename: `${protocol}.mp4` } }
    expect(await send(bytes, options)).toEqual([SIZE])
    const steps = Array.from({ length: 5 }, (_, at) => Math.min((at + 1) * CHUNK, SIZE))
    expect(await send(bytes, { ...options, chunkSize: CHUNK })).toEqual(steps)
    expect(await send(bytes, { ...options, chunkSize: CHUNK }, 2 * CHUNK)).toEqual(steps)
    const list = await (await fetch(`${demo.base}/videos?prefix=${protocol}`)).json()
    expect(list).toMatchObject({ items: [{ key: `${protocol}.mp4`, size: SIZE, digest }], cursor: null })
  })
  it('sends a file by tus on four connections at a time: one object', async () => {
    const bytes = randomBytes(SIZE)
    const digest = createHash('sha256').update(bytes).digest('hex')
    const metadata = { filename: 'parallel.mp4' }
    const options = { endpoint: '/files', protocol: 'tus-v1', metadata, parallelUploads: 4 }
    await send(bytes, { ...options, chunkSize: 200_000 })
    const list = await (await fetch(`${demo.base}/videos?prefix=parallel`)).json()
    expect(list).toMatchObject({ items: [{ key: 'parallel.mp4', size: SIZE, digest }], cursor: null })
  })
})
