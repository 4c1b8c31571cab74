import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
  type ListPartsCommandOutput,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { StoreError } from '../store-error.ts'
import { type Bucket, unquoted } from './bucket.ts'
import { hasStatus, isNamed } from './errors.ts'

/** A part that is there. */
export interface Part {
  readonly number: number
  readonly size: number
  readonly tag: string
}

/** An unfinished multipart upload. */
export interface Multipart {
  /** Of the object that it will be. */
  readonly name: string
  readonly uploadId: string
}

/** AWS: completing may take minutes where there are thousands of parts. */
const COMPLETE_TIMEOUTS = 5

export async function beginMultipart(bucket: Bucket, name: string): Promise<Multipart> {
  const command = new CreateMultipartUploadCommand({ Bucket: bucket.name, Key: name })
  const { UploadId = '' } = await bucket.call((options) => bucket.client.send(command, options))
  return { name, uploadId: UploadId }
}

export async function putPart(
  bucket: Bucket,
  { name, uploadId }: Multipart,
  number: number,
  body: Uint8Array,
): Promise<Part> {
  const command = new UploadPartCommand({
    Bucket: bucket.name,
    Key: name,
    UploadId: uploadId,
    PartNumber: number,
    Body: body,
  })
  const sending = bucket.call(
    (options) => bucket.client.send(command, options),
    bucket.timeoutFor(body.length),
  )
  return { number, size: body.length, tag: unquoted((await sending).ETag) }
}

/**
 * Makes the parts an object, and gives its tag. May be called again. What is there afterwards decides: an answer may be
 * lost, and Ceph's first one has an empty ETag.
 */
export async function completeMultipart(
  bucket: Bucket,
  { name, uploadId }: Multipart,
  parts: readonly Part[],
): Promise<string> {
  const command = new CompleteMultipartUploadCommand({
    Bucket: bucket.name,
    Key: name,
    UploadId: uploadId,
    MultipartUpload: { Parts: parts.map(({ number, tag }) => ({ PartNumber: number, ETag: `"${tag}"` })) },
  })
  const deadline = bucket.timeout * COMPLETE_TIMEOUTS
  const fault = await bucket
    .call((options) => bucket.client.send(command, options), deadline)
    .then(
      () => null,
      (error: unknown) => error,
    )
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  const found = await bucket.head(name)
  if (found?.size === size) return found.tag
  throw fault ?? new StoreError('CORRUPT', `The store made ${found?.size} bytes of the ${size} that it took.`)
}

/** Removes the parts; an upload that is gone already is none to remove. */
export async function abortMultipart(bucket: Bucket, { name, uploadId }: Multipart): Promise<void> {
  const command = new AbortMultipartUploadCommand({ Bucket: bucket.name, Key: name, UploadId: uploadId })
  await bucket.call(async (options) => {
    try {
      await bucket.client.send(command, options)
    } catch (error) {
      if (!isNamed(error, 'NoSuchUpload')) throw error
    }
  })
}

interface Marker {
  readonly KeyMarker?: string
  readonly UploadIdMarker?: string
}

/** Every unfinished multipart upload whose object's name begins with `prefix`. */
export async function* listMultiparts(
  bucket: Bucket,
  prefix: string,
): AsyncGenerator<Multipart & { readonly begun: number }> {
  for (let marker: Marker | null = {}; marker !== null; ) {
    const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
      Bucket: bucket.name,
      Prefix: prefix,
      ...marker,
    })
    const page = await bucket.call<ListMultipartUploadsCommandOutput>((options) =>
      bucket.client.send(command, options),
    )
    for (const { Key = '', UploadId = '', Initiated } of page.Uploads ?? []) {
      if (Key.startsWith(prefix)) yield { name: Key, uploadId: UploadId, begun: Initiated?.getTime() ?? 0 }
    }
    const { IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page
    marker = IsTruncated && KeyMarker && UploadIdMarker ? { KeyMarker, UploadIdMarker } : null
  }
}

/** All parts that are there, in order; none where the upload has ended. */
export async function listParts(
  bucket: Bucket,
  { name, uploadId }: Multipart,
): Promise<readonly (Part & { readonly written: number })[]> {
  const found: (Part & { written: number })[] = []
  for (let more = true; more; ) {
    const command = new ListPartsCommand({
      Bucket: bucket.name,
      Key: name,
      UploadId: uploadId,
      PartNumberMarker: `${found.at(-1)?.number ?? 0}`,
    })
    const page = await bucket.call<Partial<ListPartsCommandOutput>>((options) =>
      bucket.client.send(command, options).catch(noneIfMissing),
    )
    for (const { PartNumber = 0, Size = 0, ETag, LastModified } of page.Parts ?? []) {
      const written = LastModified?.getTime() ?? 0
      found.push({ number: PartNumber, size: Size, tag: unquoted(ETag), written })
    }
    // Ceph always names the next part, so that the SDK's own paginator would never end.
    more = page.IsTruncated ?? false
  }
  return found
}

/** Ceph says NoSuchKey. */
function noneIfMissing(error: unknown): Partial<ListPartsCommandOutput> {
  if (hasStatus(error, 404)) return {}
  throw error
}
