import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import {
  type DetailedError,
  type PreviousUpload,
  Upload,
  type UploadOptions,
  type UrlStorage,
} from 'tus-js-client'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { RestartableServer } from '../support/restartable-server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { Demo } from './demo.ts'

const BYTES = randomBytes(1_000_000)
const DIGEST = createHash('sha256').update(BYTES).digest('hex')

/** Its declarations do not name `protocol`. */
type Options = UploadOptions & { readonly protocol?: string }

/** What it can be told to speak, and where that is spoken. */
const PROTOCOLS = [
  ['tus-v1', '/files'],
  ['ietf-draft-05', '/video'],
  ['ietf-draft-03', '/video'],
] as const

/** The end of an upload that `watch` may act on. */
function run(
  input: ConstructorParameters<typeof Upload>[0],
  options: Options,
  watch: (upload: Upload, accepted: number) => void = () => {},
): Promise<Upload> {
  return new Promise((resolve, reject) => {
    const all: Options = {
      retryDelays: null,
      ...options,
      onChunkComplete: (_size, accepted) => watch(upload, accepted),
      onSuccess: () => resolve(upload),
      onError: reject,
    }
    const upload = new Upload(input, all)
    upload.start()
  })
}

/** What a page keeps in its localStorage. */
class Urls implements UrlStorage {
  readonly #kept = new Map<string, PreviousUpload>()

  async addUpload(fingerprint: string, upload: PreviousUpload): Promise<string> {
    this.#kept.set(fingerprint, upload)
    return fingerprint
  }
  async removeUpload(key: string): Promise<void> {
    this.#kept.delete(key)
  }
  async findAllUploads(): Promise<PreviousUpload[]> {
    return [...this.#kept.values()]
  }
  async findUploadsByFingerprint(fingerprint: string): Promise<PreviousUpload[]> {
    return [this.#kept.get(fingerprint) ?? []].flat()
  }
}

async function digestOf(url: string, key: string): Promise<string | undefined> {
  const page = await (await fetch(`${url}/videos?prefix=${key}`)).json()
  const { items } = page as { readonly items: readonly { readonly key: string; readonly digest: string }[] }
  return items.find((item) => item.key === key)?.digest
}

describe('tus-js-client with overridePatchMethod', () => {
  it('sends a file in chunks, by POST in place of PATCH', async () => {
    const demo = await Demo.start()
    onTestFinished(() => demo.stop())
    const metadata = { filename: 'overridden', filetype: 'video/mp4' }
    const options = {
      endpoint: `${demo.base}/files/`,
      metadata,
      chunkSize: 300_000,
      overridePatchMethod: true,
    }
    await run(BYTES, options)
    expect(await digestOf(demo.base, 'overridden')).toBe(DIGEST)
  })
})

describe.each(PROTOCOLS)('tus-js-client with protocol %s', (protocol, path) => {
  let demo: Demo
  beforeAll(async () => {
    demo = await Demo.start()
  })
  afterAll(() => demo.stop())

  const optionsFor = (filename: string): Options => ({
    endpoint: `${demo.base}${path}`,
    protocol,
    metadata: { filename, filetype: 'video/mp4' },
  })

  it.each([
    ['whole', {}],
    ['in chunks', { chunkSize: 300_000 }],
    ['with its creation', { uploadDataDuringCreation: true }],
    ['in chunks from its creation on', { uploadDataDuringCreation: true, chunkSize: 300_000 }],
    ['as one parallel upload', { parallelUploads: 1 }],
  ] satisfies readonly (readonly [string, UploadOptions])[])('sends a file %s', async (name, options) => {
    await run(BYTES, { ...optionsFor(name), ...options })
    expect(await digestOf(demo.base, name)).toBe(DIGEST)
  })

  it('sends a stream whose length it does not know', async () => {
    const chunks = Array.from({ length: 10 }, (_, at) => BYTES.subarray(at * 100_000, (at + 1) * 100_000))
    const options = { ...optionsFor('stream'), chunkSize: 300_000, uploadLengthDeferred: true }
    await run(Readable.from(chunks), options)
    expect(await digestOf(demo.base, 'stream')).toBe(DIGEST)
  })

  it('resumes by the URL of the upload after an abort', async () => {
    const options = { ...optionsFor('aborted'), chunkSize: 300_000 }
    const url = await new Promise<string | null>((resolve, reject) => {
      run(BYTES, options, (upload, accepted) => {
        if (accepted > 0) void upload.abort().then(() => resolve(upload.url))
      }).catch(reject)
    })
    const accepted: number[] = []
    await run(BYTES, { ...options, uploadUrl: url }, (_upload, offset) => void accepted.push(offset))
    expect(accepted).toEqual([600_000, 900_000, 1_000_000])
    expect(await digestOf(demo.base, 'aborted')).toBe(DIGEST)
  })

  it('gets an error for a wrong checksum, whose bytes are discarded, and succeeds with the right one', async () => {
    const field = protocol === 'tus-v1' ? 'Upload-Checksum' : 'Content-Digest'
    const value = (bytes: Uint8Array) => {
      const digest = createHash('sha256').update(bytes).digest('base64')
      return protocol === 'tus-v1' ? `sha256 ${digest}` : `sha-256=:${digest}:`
    }
    const options = optionsFor('checked')
    let url: string | null = null
    const wrong = { ...options, headers: { [field]: value(Buffer.from('else')) } }
    const started = new Promise<Upload>((resolve, reject) => {
      const upload = new Upload(BYTES, {
        ...wrong,
        retryDelays: null,
        onBeforeRequest: (request) => {
          // Its creation has no content to check.
          if (request.getMethod() === 'POST') request.setHeader(field, value(Buffer.alloc(0)))
        },
        onSuccess: () => resolve(upload),
        onError: (error) => {
          url = upload.url
          reject(error)
        },
      })
      upload.start()
    })
    const refused: DetailedError = await started.then(
      () => expect.unreachable(),
      (reason) => reason,
    )
    expect(refused.originalResponse?.getStatus()).toBe(protocol === 'tus-v1' ? 460 : 400)
    const offsets: number[] = []
    const right = { ...options, headers: { [field]: value(BYTES) }, uploadUrl: url }
    await run(BYTES, right, (_upload, offset) => void offsets.push(offset))
    expect(offsets).toEqual([BYTES.length])
    expect(await digestOf(demo.base, 'checked')).toBe(DIGEST)
  })

  it('finds that an upload is finished whose last answer it has missed', async () => {
    const options = { ...optionsFor('missed') }
    const { url } = await run(BYTES, options)
    const accepted: number[] = []
    const again = await run(
      BYTES,
      { ...options, uploadUrl: url },
      (_upload, offset) => void accepted.push(offset),
    )
    expect([again.url, accepted]).toEqual([url, []])
  })

  it('resumes by itself when the server is killed in mid-upload', async () => {
    const server = await RestartableServer.start()
    const { base } = server
    const options = { ...optionsFor('killed'), endpoint: `${base}${path}`, chunkSize: 200_000 }
    const retryDelays = Array.from({ length: 20 }, () => 500)
    await run(BYTES, { ...options, retryDelays }, (_upload, accepted) => {
      if (server.kills === 0 && accepted >= 400_000) void server.killAndRestart()
    })
    expect([server.kills, await digestOf(base, 'killed')]).toEqual([1, DIGEST])
  })
})

describe('tus-js-client', () => {
  it.each([
    ['whole', {}],
    ['in chunks', { chunkSize: 60_000 }],
    ['with its creation', { uploadDataDuringCreation: true }],
  ] satisfies readonly (readonly [string, UploadOptions])[])(
    'sends a file on four connections at a time, each part %s, and nothing but the object remains',
    async (name, options) => {
      const demo = await Demo.start()
      onTestFinished(() => demo.stop())
      const metadata = { filename: name, filetype: 'video/mp4' }
      const { url } = await run(BYTES, {
        endpoint: `${demo.base}/files`,
        metadata,
        parallelUploads: 4,
        ...options,
      })
      expect(await digestOf(demo.base, name)).toBe(DIGEST)
      expect(new URL((await fetch(url ?? '')).url).pathname).toBe(
        `/get_video_by_name/${encodeURIComponent(name)}`,
      )
    },
  )

  it('resumes a parallel upload by itself each time the server is killed', async () => {
    const server = await RestartableServer.start()
    const { base } = server
    const options: Options = {
      endpoint: `${base}/files`,
      metadata: { filename: 'killed' },
      parallelUploads: 4,
      chunkSize: 50_000,
      retryDelays: Array.from({ length: 40 }, () => 500),
      // The parts together, unlike the offsets that end a chunk.
      onProgress: (sent) => {
        if (server.kills < 3 && sent >= 250_000 * (server.kills + 1)) void server.killAndRestart()
      },
    }
    await run(BYTES, options)
    expect([server.kills, await digestOf(base, 'killed')]).toEqual([3, DIGEST])
  })

  it('resumes a parallel upload after an abort, and sends no part again', async () => {
    const demo = await Demo.start()
    onTestFinished(() => demo.stop())
    const options: Options = {
      endpoint: `${demo.base}/files`,
      metadata: { filename: 'parallel' },
      parallelUploads: 4,
      chunkSize: 50_000,
    }
    let sent = 0
    await new Promise<void>((resolve, reject) => {
      const upload = new Upload(BYTES, {
        ...options,
        onBeforeRequest: (request) => {
          if (request.getMethod() !== 'PATCH') return
          sent += 50_000
          if (sent === 500_000) void upload.abort().then(() => upload.start())
        },
        onSuccess: () => resolve(),
        onError: reject,
      })
      upload.start()
    })
    expect(await digestOf(demo.base, 'parallel')).toBe(DIGEST)
    // Each of the four connections may repeat the request that the abort has cut off.
    expect(sent).toBeLessThanOrEqual(1_000_000 + 2 * 4 * 50_000)
  })

  it('removes an upload', async () => {
    const demo = await Demo.start()
    onTestFinished(() => demo.stop())
    const { url } = await run(BYTES, { endpoint: `${demo.base}/files`, metadata: { filename: 'kept' } })
    await Upload.terminate(url ?? '')
    expect((await fetch(url ?? '', { method: 'HEAD', headers: { 'Tus-Resumable': '1.0.0' } })).status).toBe(
      404,
    )
    expect(await digestOf(demo.base, 'kept')).toBe(DIGEST)
  })

  it('resumes a file by the URL that it has stored', async () => {
    const demo = await Demo.start()
    onTestFinished(() => demo.stop())
    const directory = await temporaryDirectory()
    const file = join(directory, 'clip.mp4')
    await writeFile(file, BYTES)
    const urlStorage = new Urls()
    const options: Options = {
      endpoint: `${demo.base}/files`,
      metadata: { filename: 'found' },
      chunkSize: 300_000,
      urlStorage,
    }
    await new Promise<void>((resolve, reject) => {
      run(createReadStream(file), options, (upload) => void upload.abort().then(resolve)).catch(reject)
    })
    const accepted: number[] = []
    await new Promise<void>((resolve, reject) => {
      const upload = new Upload(createReadStream(file), {
        ...options,
        onChunkComplete: (_size, offset) => void accepted.push(offset),
        onSuccess: () => resolve(),
        onError: reject,
      })
      upload.findPreviousUploads().then(([previous]) => {
        if (previous === undefined) return reject(new Error('It has found nothing.'))
        upload.resumeFromPreviousUpload(previous)
        upload.start()
      }, reject)
    })
    expect(accepted).toEqual([600_000, 900_000, 1_000_000])
    expect(await digestOf(demo.base, 'found')).toBe(DIGEST)
  })
})
