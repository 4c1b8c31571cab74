import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { createS3Store } from 'upload-store/s3'
import type { ClusterConnection } from '../../../../test/s3/cluster.mjs'

const MEBIBYTE = 1024 ** 2
const PART = 8 * MEBIBYTE
const IN_FLIGHT = 4
/** As a socket gives them. */
const CHUNK = 65536

export const WAYS = ['ours', 'peer'] as const
export type Way = (typeof WAYS)[number]

const block = randomBytes(16 * MEBIBYTE)

/** `size` bytes that cost nothing to make. */
async function* content(size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; at += CHUNK) {
    const from = at % block.length
    yield block.subarray(from, from + Math.min(CHUNK, size - at))
  }
}

/** Uploads `size` bytes; seconds. */
export async function measureUpload(
  way: Way,
  connection: ClusterConnection,
  size: number,
  key: string,
): Promise<number> {
  const start = performance.now()
  await (way === 'ours' ? storeObject : uploadObject)(connection, size, key)
  return (performance.now() - start) / 1000
}

async function storeObject(connection: ClusterConnection, size: number, key: string): Promise<void> {
  const partMemory = (IN_FLIGHT + 1) * PART
  const options = { ...connection, partSize: PART, partMemory, maxFileSize: size }
  const store = createS3Store(options)
  const object = await store.put(key, content(size), { expectedSize: size })
  await store.close()
  if (object.size !== size) throw new Error(`${object.size} bytes were stored of ${size}.`)
}

async function uploadObject(
  { endpoint, bucket, credentials }: ClusterConnection,
  size: number,
  key: string,
): Promise<void> {
  const client = new S3Client({
    endpoint,
    credentials,
    region: 'us-east-1',
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const params = { Bucket: bucket, Key: `lib-storage/${key}`, Body: Readable.from(content(size)) }
  await new Upload({ client, params, partSize: PART, queueSize: IN_FLIGHT }).done()
  client.destroy()
}
