import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Upload, type UploadOptions } from 'tus-js-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const SIZE = 16 * 1024 ** 2

/** Its declarations do not name `protocol`. */
type Options = UploadOptions & { readonly protocol?: string }

/** The bytes that the process has written to files and sockets so far. */
async function written({ child }: ServerProcess): Promise<number> {
  const fields = await readFile(`/proc/${child.pid}/io`, 'latin1')
  return Number(/^wchar: (\d+)$/m.exec(fields)?.[1])
}

describe.skipIf(process.platform !== 'linux')('The bytes that a server writes for an upload', () => {
  it.each([
    ['by tus', 1.02, { endpoint: '/files' }],
    ['by tus in chunks', 1.02, { endpoint: '/files', chunkSize: 1024 ** 2 }],
    ['by the draft', 1.02, { endpoint: '/video', protocol: 'ietf-draft-05' }],
    ['by tus in four parts at once', 1.8, { endpoint: '/files', parallelUploads: 4 }],
  ] satisfies readonly (readonly [string, number, Options & { endpoint: string }])[])(
    '%s are at most %d times its size',
    async (_name, most, { endpoint, ...options }) => {
      const server = new ServerProcess([
        '--port',
        '0',
        '--data',
        await temporaryDirectory(),
        '--accept',
        '*/*',
      ])
      onTestFinished(async () => void (await server.stop('SIGKILL')))
      const base = await server.url()
      const before = await written(server)
      await new Promise<void>((resolve, reject) => {
        const all: Options = {
          ...options,
          endpoint: `${base}${endpoint}`,
          metadata: { filename: 'film.bin' },
          retryDelays: null,
          onSuccess: () => resolve(),
          onError: reject,
        }
        new Upload(randomBytes(SIZE), all).start()
      })
      const times = ((await written(server)) - before) / SIZE
      expect(times).toBeLessThanOrEqual(most)
      // Fewer bytes than the upload has would mean that the test does not measure what it says.
      expect(times).toBeGreaterThanOrEqual(1)
    },
  )
})
