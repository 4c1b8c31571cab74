import { createHash } from 'node:crypto'
import { createFsStore } from 'upload-store'

// JavaScript, as a process of its own runs it as it is.

/** The bucket of the tests, where they are run on S3. */
function bucket() {
  const text = process.env.TEST_STORE_ON_S3
  return text === undefined ? null : JSON.parse(text)
}

export const ON_S3 = bucket() !== null

// Loading the SDK of AWS takes a process 0.4 s of processor time.
const { createS3Store } = ON_S3 ? await import('upload-store/s3') : {}

/** The same directory, the same store; no other has it. */
function prefixOf(directory) {
  return `${createHash('md5').update(directory).digest('hex')}/`
}

export function openTestStore(directory, options = {}) {
  const s3 = bucket()
  return s3 === null
    ? createFsStore(directory, options)
    : createS3Store({ ...s3, timeout: 30_000, prefix: prefixOf(directory), recordMaxAge: 0, ...options })
}

export function environmentOfServer(directory) {
  const s3 = bucket()
  if (s3 === null) return {}
  return {
    RANGE_SERVER_STORE: 's3',
    RANGE_SERVER_S3_ENDPOINT: s3.endpoint,
    RANGE_SERVER_S3_BUCKET: s3.bucket,
    RANGE_SERVER_S3_PREFIX: prefixOf(directory),
    AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
  }
}
