import assert from 'node:assert/strict'
import { createS3Store, type S3StoreOptions } from 'upload-store/s3'

const create: (options: S3StoreOptions) => unknown = createS3Store
assert.equal(typeof create, 'function')
