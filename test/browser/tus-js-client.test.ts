import { createHash, randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import type { DetailedError, Upload, UploadOptions } from 'tus-js-client'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { Demo } from '../clients/demo.ts'
import { RestartableServer } from '../support/restartable-server.ts'
import { describeWith } from '../support/tools.ts'
import { sharedBrowser } from './shared-browser.ts'

/** What the library's build for browsers, and the test, leave in a page. */
interface Globals {
  readonly tus: { readonly Upload: new (input: unknown, options: UploadOptions) => Upload }
  readonly notifyProgress?: (sent: number) => void
}

type Options = Pick<
  UploadOptions,
  'chunkSize' | 'parallelUploads' | 'uploadLengthDeferred' | 'overridePatchMethod'
>

interface Sending extends Options {
  readonly endpoint: string
  readonly protocol?: string
  readonly metadata: Readonly<Record<string, string>>
  /** Aborts and continues once when so many bytes are accepted. */
  readonly abortAt?: number
  /** The value of Upload-Checksum in each PATCH. */
  readonly checksum?: string
  /** What the content is read from: version 4 takes the reader of a stream, version 5 the stream (a file). */
  readonly input?: 'reader' | 'stream'
  readonly retryDelays?: number[]
  /** Starts again half a second after an error without a response, this many times. */
  readonly restarts?: number
}

interface Outcome {
  /** The offsets that the server has reported. */
  readonly accepted: readonly number[]
  /** The status of the response that ended the upload, 0 if there was none; `null` after a success. */
  readonly status: number | null
  /** Why the upload ended. */
  readonly reason?: string
}

const SIZE = 3_000_000
const CHUNK = 700_000
const BYTES = randomBytes(SIZE)
const DIGEST = createHash('sha256').update(BYTES).digest('hex')

/** Runs in the page. */
async function sendInPage({ text, sending }: { text: string; sending: Sending }): Promise<Outcome> {
  const { tus, notifyProgress } = window as unknown as Globals
  const { abortAt = Number.POSITIVE_INFINITY, checksum, input, restarts = 0, ...options } = sending
  const file = new File([Uint8Array.from(atob(text), (each) => each.charCodeAt(0))], 'film.mp4')
  const accepted: number[] = []
  let hasAborted = false
  let errors = 0
  return new Promise((resolve) => {
    const stream = file.stream()
    const content = input === undefined ? file : input === 'reader' ? stream.getReader() : stream
    const upload = new tus.Upload(content, {
      chunkSize: Number.POSITIVE_INFINITY,
      retryDelays: [],
      storeFingerprintForResuming: false,
      ...options,
      onBeforeRequest: (request) => {
        const isAppend = request.getMethod() === 'PATCH'
        if (isAppend && checksum !== undefined) request.setHeader('Upload-Checksum', checksum)
      },
      onProgress: (sent) => notifyProgress?.(sent),
      onChunkComplete: (_size, offset) => {
        accepted.push(offset)
        if (hasAborted || offset < abortAt) return
        hasAborted = true
        void upload.abort().then(() => upload.start())
      },
      onSuccess: () => resolve({ accepted, status: null }),
      onError: (error) => {
        const status = (error as DetailedError).originalResponse?.getStatus() ?? 0
        if (status === 0 && ++errors <= restarts) setTimeout(() => upload.start(), 500)
        else resolve({ accepted, status, reason: String(error) })
      },
    })
    upload.start()
  })
}

async function digestOf(base: string, key: string): Promise<unknown> {
  const { items } = await (await fetch(`${base}/videos?prefix=${encodeURIComponent(key)}`)).json()
  return items.map(({ key, size, digest }: Record<string, unknown>) => ({ key, size, digest }))
}

describeWith(['chromium'], 'tus-js-client in Chromium', () => {
  describe.each([
    ['tus-js-client', 'reader'],
    ['tus-js-client-5', 'stream'],
  ] as const)('%s', (library, input) => {
    // Version 5 does not export its build, only its manifest.
    const manifest = fileURLToPath(import.meta.resolve(`${library}/package.json`))
    const build = join(dirname(manifest), 'dist', 'tus.min.js')
    let demo: Demo
    let page: Page

    async function openPage(url: string): Promise<Page> {
      // The library is not the page's own script.
      const opened = await (await sharedBrowser()).newPage({ bypassCSP: true })
      await opened.goto(url)
      await opened.addScriptTag({ path: build })
      return opened
    }

    beforeAll(async () => {
      demo = await Demo.start()
      page = await openPage(demo.base)
    })

    afterAll(async () => {
      await page?.close()
      await demo?.stop()
    })

    /** Uploads the bytes as the object `name`. */
    function send(name: string, options: Partial<Sending> = {}, from: Page = page): Promise<Outcome> {
      const sending = { endpoint: '/files', metadata: { filename: name }, ...options }
      return from.evaluate(sendInPage, { text: BYTES.toString('base64'), sending })
    }

    const stored = (key: string) => [{ key, size: SIZE, digest: DIGEST }]
    const steps = Array.from({ length: 5 }, (_, at) => Math.min((at + 1) * CHUNK, SIZE))

    it.each([
      ['tus-v1', '/files'],
      ['ietf-draft-05', '/video'],
      ['ietf-draft-03', '/video'],
    ])('sends a file by %s whole, in chunks, and after an abort: one object', async (protocol, endpoint) => {
      const options = { endpoint, protocol }
      expect(await send(protocol, options)).toEqual({ accepted: [SIZE], status: null })
      const inChunks = { accepted: steps, status: null }
      expect(await send(protocol, { ...options, chunkSize: CHUNK })).toEqual(inChunks)
      expect(await send(protocol, { ...options, chunkSize: CHUNK, abortAt: 2 * CHUNK })).toEqual(inChunks)
      expect(await digestOf(demo.base, protocol)).toEqual(stored(protocol))
    })

    it.each([
      ['on four connections at a time', { parallelUploads: 4, chunkSize: 200_000 }],
      ['by POST in place of PATCH', { overridePatchMethod: true, chunkSize: CHUNK }],
      ['from a stream of unknown length', { input, uploadLengthDeferred: true, chunkSize: CHUNK }],
    ] satisfies readonly (readonly [string, Partial<Sending>])[])(
      'sends a file by tus %s',
      async (name, options) => {
        expect((await send(name, options)).status).toBe(null)
        expect(await digestOf(demo.base, name)).toEqual(stored(name))
      },
    )

    it('gets 460 for a wrong checksum, and succeeds with the right one', async () => {
      const checksum = (bytes: string | Buffer) =>
        `sha256 ${createHash('sha256').update(bytes).digest('base64')}`
      expect((await send('checked', { checksum: checksum('other bytes') })).status).toBe(460)
      expect((await send('checked', { checksum: checksum(BYTES) })).status).toBe(null)
      expect(await digestOf(demo.base, 'checked')).toEqual(stored('checked'))
    })

    it.each([1, 4])('resumes when the server is killed, with %d uploads at once', async (parallelUploads) => {
      const server = await RestartableServer.start()
      const { base } = server
      const own = await openPage(base)
      onTestFinished(() => own.close())
      await own.exposeFunction('notifyProgress', (sent: number) => {
        if (server.kills === 0 && sent > SIZE / 2) void server.killAndRestart()
      })
      const retryDelays = Array.from({ length: 60 }, () => 500)
      // The app starts the upload again where the library does not: after an error of the request that joins the parts, and, in
      // version 5.0.0-pre2, after any network error in a browser (it throws the event, which is not an Error).
      const options = { parallelUploads, retryDelays, restarts: 60 }
      const outcome = await send('killed', { ...options, chunkSize: 200_000 }, own)
      expect([server.kills, outcome.status, outcome.reason]).toEqual([1, null, undefined])
      expect(await digestOf(base, 'killed')).toEqual(stored('killed'))
    })
  })
})
