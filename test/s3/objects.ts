import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3'
import type { ConnectionOptions } from 'upload-store/s3'

/** What is in the bucket of a test, seen and changed past the store. */
export class Objects {
  readonly #client: S3Client
  readonly #bucket: string
  readonly #prefix: string

  constructor({ endpoint = '', bucket, credentials }: ConnectionOptions, prefix: string) {
    const plain = {
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    } as const
    const keys = credentials === undefined ? {} : { credentials }
    this.#client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, ...keys, ...plain })
    this.#bucket = bucket
    this.#prefix = prefix
  }

  /** Names behind the prefix, and sizes. */
  async sizes(): Promise<Record<string, number>> {
    const pages = paginateListObjectsV2(
      { client: this.#client },
      { Bucket: this.#bucket, Prefix: this.#prefix },
    )
    const sizes: [string, number][] = []
    for await (const { Contents = [] } of pages) {
      for (const { Key = '', Size = 0 } of Contents) sizes.push([Key.slice(this.#prefix.length), Size])
    }
    return Object.fromEntries(sizes)
  }

  async names(): Promise<string[]> {
    return Object.keys(await this.sizes())
  }

  async read(name: string): Promise<string> {
    const command = new GetObjectCommand({ Bucket: this.#bucket, Key: this.#prefix + name })
    return (await (await this.#client.send(command)).Body?.transformToString()) ?? ''
  }

  async write(name: string, text: string): Promise<void> {
    const body = Buffer.from(text)
    await this.#client.send(
      new PutObjectCommand({ Bucket: this.#bucket, Key: this.#prefix + name, Body: body }),
    )
  }

  async remove(name: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: this.#prefix + name }))
  }

  async beginMultipart(name: string): Promise<string> {
    const command = new CreateMultipartUploadCommand({ Bucket: this.#bucket, Key: this.#prefix + name })
    return (await this.#client.send(command)).UploadId ?? ''
  }

  async abortMultipart(name: string, uploadId: string): Promise<void> {
    const input = { Bucket: this.#bucket, Key: this.#prefix + name, UploadId: uploadId }
    await this.#client.send(new AbortMultipartUploadCommand(input))
  }

  async multiparts(): Promise<string[]> {
    const command = new ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: this.#prefix })
    const { Uploads = [] } = await this.#client.send(command)
    return Uploads.map(({ Key = '' }) => Key.slice(this.#prefix.length))
  }

  /** After how many days parts are removed, by what their names begin with. */
  async abortRules(): Promise<Record<string, number | undefined>> {
    const command = new GetBucketLifecycleConfigurationCommand({ Bucket: this.#bucket })
    const { Rules = [] } = await this.#client.send(command)
    return Object.fromEntries(
      Rules.map(({ Filter, AbortIncompleteMultipartUpload: abort }) => [
        Filter?.Prefix,
        abort?.DaysAfterInitiation,
      ]),
    )
  }
}
