import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { type DetailedError, type HttpRequest, Upload, type UploadOptions } from 'tus-js-client-5'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RestartableServer } from '../support/restartable-server.ts'
import { Demo } from './demo.ts'

const BYTES = randomBytes(1_000_000)
const DIGEST = createHash('sha256').update(BYTES).digest('hex')

type Options = Partial<UploadOptions> & { readonly endpoint: string }

/** Uploads the bytes, and calls `watch` after each response that tells an offset. */
function upload(
  options: Options,
  watch: (upload: Upload, offset: number) => void = () => {},
  input: Buffer | Readable = BYTES,
): Promise<Upload> {
  return new Promise((resolve, reject) => {
    const client = new Upload(input, {
      retryDelays: [],
      ...options,
      onChunkComplete: (_size, offset) => watch(client, offset),
      onSuccess: () => resolve(client),
      onError: reject,
    })
    client.start()
  })
}

async function digestOf(base: string, key: string): Promise<unknown> {
  const { items } = await (await fetch(`${base}/videos?prefix=${key}`)).json()
  return items.find((item: { readonly key: string }) => item.key === key)?.digest
}

describe('tus-js-client 5', () => {
  let demo: Demo
  beforeAll(async () => {
    demo = await Demo.start()
  })
  afterAll(() => demo.stop())

  it.each([
    ['whole', {}],
    ['in chunks', { chunkSize: 300_000 }],
    ['with its creation', { uploadDataDuringCreation: true }],
    ['in four parts at once', { parallelUploads: 4 }],
    ['by POST in place of PATCH', { overridePatchMethod: true, chunkSize: 300_000 }],
    ['by draft 05', { protocol: 'ietf-draft-05' }],
    ['by draft 03', { protocol: 'ietf-draft-03' }],
  ] satisfies readonly (readonly [string, Partial<UploadOptions>])[])(
    'sends a file %s',
    async (name, options) => {
      const path = 'protocol' in options ? '/video' : '/files'
      await upload({ endpoint: `${demo.base}${path}`, metadata: { filename: name }, ...options })
      expect(await digestOf(demo.base, name)).toBe(DIGEST)
    },
  )

  it('sends a stream whose length it does not know', async () => {
    const chunks = Array.from({ length: 10 }, (_, at) => BYTES.subarray(at * 100_000, (at + 1) * 100_000))
    const options = {
      endpoint: `${demo.base}/files`,
      metadata: { filename: 'stream' },
      chunkSize: 300_000,
      uploadLengthDeferred: true,
    }
    await upload(options, undefined, Readable.from(chunks))
    expect(await digestOf(demo.base, 'stream')).toBe(DIGEST)
  })

  it('gets 460 for a wrong checksum, and succeeds with the right one', async () => {
    const options = { endpoint: `${demo.base}/files`, metadata: { filename: 'checked' } }
    const withChecksum = (bytes: Uint8Array) => ({
      ...options,
      onBeforeRequest: (request: HttpRequest) => {
        const isAppend = request.getMethod() === 'PATCH'
        const digest = createHash('sha256').update(bytes).digest('base64')
        if (isAppend) request.setHeader('Upload-Checksum', `sha256 ${digest}`)
      },
    })
    const refused = await upload(withChecksum(Buffer.from('else'))).catch((error: unknown) => error)
    expect((refused as DetailedError).originalResponse?.getStatus()).toBe(460)
    await upload(withChecksum(BYTES))
    expect(await digestOf(demo.base, 'checked')).toBe(DIGEST)
  })

  it('resumes by the URL of the upload after an abort', async () => {
    const options = {
      endpoint: `${demo.base}/files`,
      metadata: { filename: 'aborted' },
      chunkSize: 300_000,
    }
    const url = await new Promise<string | null>((resolve, reject) => {
      upload(options, (client) => void client.abort().then(() => resolve(client.url))).catch(reject)
    })
    const offsets: number[] = []
    await upload(
      { ...options, ...(url === null ? {} : { uploadUrl: url }) },
      (_client, offset) => void offsets.push(offset),
    )
    expect(offsets).toEqual([600_000, 900_000, 1_000_000])
    expect(await digestOf(demo.base, 'aborted')).toBe(DIGEST)
  })

  it.each([1, 4])(
    'resumes by itself when the server is killed, with %d uploads at once',
    async (parallelUploads) => {
      const server = await RestartableServer.start()
      const { base } = server
      const options = {
        endpoint: `${base}/files`,
        metadata: { filename: 'killed' },
        chunkSize: 50_000,
        parallelUploads,
        retryDelays: Array.from({ length: 60 }, () => 500),
        onProgress: (sent: number) => {
          if (server.kills === 0 && sent > 400_000) void server.killAndRestart()
        },
      }
      await upload(options)
      expect([server.kills, await digestOf(base, 'killed')]).toEqual([1, DIGEST])
    },
  )
})
