import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { createFsStore, multerStorage, StoreError, type UploadStore } from 'upload-store'

const directory = await mkdtemp('store-')
const store: UploadStore = createFsStore(directory)
const { size, digest } = await store.put('greeting.txt', Readable.from([Buffer.from('hello')]))
assert.equal(size, 5)
assert.match(digest, /2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824/)
await assert.rejects(
  store.put('../greeting', Readable.from([])),
  (error) => error instanceof StoreError && error.code === 'INVALID_KEY',
)
assert.equal(typeof multerStorage(store)._handleFile, 'function')
await store.close()
await rm(directory, { recursive: true })
