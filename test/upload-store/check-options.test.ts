import { createFsStore, createMemoryStore, type StoreOptions } from 'upload-store'
import { expect, it } from 'vitest'
import { temporaryDirectory } from '../support/temporary.ts'

const create = [
  async (options: StoreOptions) => createFsStore(await temporaryDirectory(), options),
  async (options: StoreOptions) => createMemoryStore(options),
]

/** Options as JavaScript, or a file of settings, gives them. */
const fromJson = (json: string): StoreOptions => JSON.parse(json)

it.each([
  ['{"accept":["mp4"]}', TypeError, /"mp4".*video\/mp4/],
  ['{"accept":[".mp4"]}', TypeError, /"\.mp4".*video\/mp4/],
  ['{"accept":["video/*","video/mp4;codecs=avc1"]}', TypeError, /codecs/],
  ['{"accept":"video/mp4"}', TypeError, /not a list/],
  ['{"maxFileSize":"2GiB"}', TypeError, /maxFileSize "2GiB".*bytes/],
  ['{"maxFileSize":-1}', RangeError, /maxFileSize -1/],
  ['{"maxTotalSize":"2GiB"}', TypeError, /maxTotalSize/],
  ['{"expireAfter":"1h"}', TypeError, /expireAfter "1h".*milliseconds/],
])('refuses to create a store with %s, and names the remedy', async (json, type, message) => {
  for (const make of create) {
    const made = make(fromJson(json))
    await expect(made).rejects.toBeInstanceOf(type)
    await expect(made).rejects.toThrow(message)
  }
})

it('creates stores with every form of media type and with no limit', async () => {
  for (const make of create) {
    const limits = { maxFileSize: Number.POSITIVE_INFINITY, maxTotalSize: undefined, expireAfter: 0 }
    const store = await make({ ...limits, accept: ['video/*', ' text/vtt ', '*/*', 'application/ld+json'] })
    await store.close()
  }
})
