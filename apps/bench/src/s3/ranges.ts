import { Agent, get } from 'node:http'
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'

/** Where ranges of the object are read from. */
export interface RangeSource {
  readonly url: URL
}

interface Reading {
  /** Of the object, in bytes. */
  readonly size: number
  /** Of a range, in bytes. */
  readonly length: number
  readonly clients: number
  /** In ms. */
  readonly time: number
}

/** Reads the object through the server. */
export function served(base: string, key: string): RangeSource {
  return { url: new URL(`/videos/${key}`, base) }
}

/** Reads a blob of `size` bytes from the bucket itself. All blobs of one size have the same content. */
export async function presigned(client: S3Client, bucket: string, size: number): Promise<RangeSource> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: 'blobs/' }))
  const name = Contents.find((each) => each.Size === size)?.Key
  if (name === undefined) throw new Error(`There is no blob of ${size} bytes.`)
  const command = new GetObjectCommand({ Bucket: bucket, Key: name })
  return { url: new URL(await getSignedUrl(client, command, { expiresIn: 3600 })) }
}

/** Random ranges by clients that never pause; answered ones a second. */
export async function measureRanges({ url }: RangeSource, reading: Reading): Promise<number> {
  const { size, length, clients, time } = reading
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const until = performance.now() + time
  let answered = 0
  const client = async () => {
    while (performance.now() < until) {
      const start = Math.floor(Math.random() * (size - length))
      await readRange(url, agent, start, length)
      answered++
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: clients }, client))
  agent.destroy()
  return answered / ((performance.now() - began) / 1000)
}

function readRange(url: URL, agent: Agent, start: number, length: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { range: `bytes=${start}-${start + length - 1}` }
    const request = get(url, { agent, headers }, (response) => {
      let left = length
      response.on('data', (chunk: Buffer) => {
        left -= chunk.length
      })
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 206 && left === 0) resolve()
        else reject(new Error(`${response.statusCode} with ${length - left} bytes of ${length}`))
      })
    })
    request.on('error', reject)
  })
}
