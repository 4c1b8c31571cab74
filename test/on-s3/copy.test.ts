import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { createFsStore, type StoredObject } from 'upload-store'
import { expect, it } from 'vitest'
import { outcomeOf, startCommand } from '../commands/run-command.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const COUNT = 150

/** Videos with dates and metadata, of which some have captions. */
async function fill(data: string): Promise<readonly StoredObject[]> {
  const store = createFsStore(data, { companions: true })
  for (let number = 0; number < COUNT; number++) {
    const options = {
      type: 'video/mp4',
      lastModified: 1_600_000_000_000 + number * 1000,
      metadata: { number },
    }
    await store.put(`${number}.mp4`, Readable.from([randomBytes(1000 + number)]), options)
    if (number % 10 === 0)
      await store.put(`${number}.mp4.de.vtt`, Readable.from([Buffer.from(`WEBVTT ${number}`)]), {
        type: 'text/vtt',
      })
  }
  const { items } = await store.list({ limit: 1000 })
  await store.close()
  return items
}

it('videos are copied from disk to S3 and back by processes that are killed, with dates, metadata and captions', async () => {
  const { endpoint, bucket, credentials } = JSON.parse(process.env['TEST_STORE_ON_S3'] ?? '{}')
  const [folder, prefix] = [await temporaryDirectory(), `copy-${randomBytes(6).toString('hex')}/`]
  const [data, back] = [join(folder, 'data'), join(folder, 'back')]
  const items = await fill(data)
  const env = {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: 'us-east-1',
  }

  /** Kills the command after each of these numbers of copied objects, and then runs it to its end. */
  async function copy(flags: readonly string[], kills: readonly number[]): Promise<number | null> {
    for (const lines of kills) {
      const child = startCommand(['copy', ...flags, '--json'], env)
      const outcome = outcomeOf(child)
      let seen = 0
      if (child.stdout !== null)
        createInterface({ input: child.stdout }).on('line', () => {
          if (++seen === lines) child.kill('SIGKILL')
        })
      expect((await outcome).code).toBeNull()
    }
    const { code, stderr } = await outcomeOf(startCommand(['copy', ...flags], env))
    expect(stderr).toBe('')
    return code
  }

  const s3 = ['--store', 's3', '--s3-endpoint', endpoint, '--s3-bucket', bucket, '--s3-prefix', prefix]
  const toS3 = s3.map((flag) => flag.replace(/^--/, '--to-'))
  expect(await copy(['--data', data, ...toS3], [20, 40])).toBe(0)
  expect(await copy([...s3, '--to-data', back], [30])).toBe(0)
  const store = createFsStore(back)
  expect((await store.list({ limit: 1000 })).items).toEqual(items)
  await store.close()
  for (const flags of [s3, ['--data', back]])
    expect(await outcomeOf(startCommand(['verify', ...flags], env))).toMatchObject({ code: 0, stderr: '' })
  // Eight processes, and 500 uploads to S3: on a busy machine, more than the usual minute.
}, 240_000)
