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
import { StoreError } from '../../contract/store-error.ts'
import { checked } from './answers.ts'
import { type Bucket, unquoted } from './bucket.ts'
import { BadAnswer, isNamed, unavailable } from './errors.ts'
import { badPage } from './pages.ts'

/** A part that S3 has. */
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

/** AWS may take minutes to join thousands of parts, so its answer may take so many times the budget. */
const COMPLETE_SLOWNESS = 3

export async function beginMultipart(bucket: Bucket, name: string): Promise<Multipart> {
  const input = { Bucket: bucket.name, Key: name }
  const command = checked(new CreateMultipartUploadCommand(input), { root: 'InitiateMultipartUploadResult' })
  return bucket.call(async (options) => {
    const { UploadId, Key } = await bucket.client.send(command, options)
    if (!UploadId || Key !== name) throw new BadAnswer('S3 has begun a multipart upload without an id.')
    return { name, uploadId: UploadId }
  })
}

/** @param signal ends further tries */
export async function putPart(
  bucket: Bucket,
  { name, uploadId }: Multipart,
  {
    number,
    body,
    signal,
  }: { readonly number: number; readonly body: Uint8Array; readonly signal?: AbortSignal },
): Promise<Part> {
  const input = { Bucket: bucket.name, Key: name, UploadId: uploadId, PartNumber: number, Body: body }
  const command = checked(new UploadPartCommand(input), 'tag')
  const call = { bytes: body.length, signal }
  const { ETag } = await bucket.call((options) => bucket.client.send(command, options), call)
  return { number, size: body.length, tag: unquoted(ETag) }
}

/**
 * Makes the parts an object, and returns its tag. May be called again. The object itself decides whether it has succeeded:
 * the answer may be lost, and Ceph's first one has an empty ETag.
 */
export async function completeMultipart(
  bucket: Bucket,
  { name, uploadId }: Multipart,
  parts: readonly Part[],
): Promise<string> {
  const input = {
    Bucket: bucket.name,
    Key: name,
    UploadId: uploadId,
    MultipartUpload: { Parts: parts.map(({ number, tag }) => ({ PartNumber: number, ETag: `"${tag}"` })) },
  }
  const command = checked(new CompleteMultipartUploadCommand(input), {
    root: 'CompleteMultipartUploadResult',
  })
  const fault = await bucket
    .call((options) => bucket.client.send(command, options), { slowness: COMPLETE_SLOWNESS })
    .then(
      () => null,
      (error: unknown) => error,
    )
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  const found = await bucket.head(name)
  if (found?.size === size) return found.tag
  if (fault !== null) throw fault
  if (found === null)
    throw unavailable(new BadAnswer('S3 has completed the upload but does not have its object.'))
  throw new StoreError(
    'CORRUPT',
    `S3 has an object of ${found.size} bytes instead of the ${size} that were sent. Send the file again.`,
  )
}

/** Removes the parts of an upload, unless they are gone already. */
export async function abortMultipart(bucket: Bucket, { name, uploadId }: Multipart): Promise<void> {
  const input = { Bucket: bucket.name, Key: name, UploadId: uploadId }
  const command = checked(new AbortMultipartUploadCommand(input), 'nothing')
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

/** Lists every unfinished multipart upload whose object's name begins with `prefix`. */
export async function* listMultiparts(
  bucket: Bucket,
  prefix: string,
): AsyncGenerator<Multipart & { readonly begun: number }> {
  for (let marker: Marker | null = {}; marker !== null; ) {
    const page: ListMultipartUploadsCommandOutput = await fetchMultiparts(bucket, prefix, marker)
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (Key === undefined || !UploadId || Initiated === undefined)
        throw unavailable(badPage('an incomplete entry'))
      if (Key.startsWith(prefix)) yield { name: Key, uploadId: UploadId, begun: Initiated.getTime() }
    }
    marker = nextOf(page, marker)
  }
}

function fetchMultiparts(
  bucket: Bucket,
  prefix: string,
  marker: Marker,
): Promise<ListMultipartUploadsCommandOutput> {
  const input = { Bucket: bucket.name, Prefix: prefix, ...marker }
  const command = checked(new ListMultipartUploadsCommand(input), { root: 'ListMultipartUploadsResult' })
  return bucket.call(async (options) => {
    const page = await bucket.client.send(command, options)
    if (page.IsTruncated === undefined) throw badPage('too few fields')
    return page
  })
}

/** @throws StoreError UNAVAILABLE if more uploads follow, and the page does not say where */
function nextOf(page: ListMultipartUploadsCommandOutput, marker: Marker): Marker | null {
  if (page.IsTruncated !== true) return null
  const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page
  const isNext = KeyMarker !== marker.KeyMarker || UploadIdMarker !== marker.UploadIdMarker
  if (!KeyMarker || !UploadIdMarker || !isNext) throw unavailable(badPage('no marker of the next page'))
  return { KeyMarker, UploadIdMarker }
}

/** Lists all parts that S3 has, in order; none if the upload has ended. */
export async function listParts(
  bucket: Bucket,
  multipart: Multipart,
): Promise<readonly (Part & { readonly written: number })[]> {
  const found: (Part & { written: number })[] = []
  for (let more = true; more; ) {
    const page = await fetchParts(bucket, multipart, found.at(-1)?.number ?? 0)
    if (page === null) return found
    for (const { PartNumber, Size, ETag, LastModified } of page.Parts ?? []) {
      const isNext = PartNumber !== undefined && PartNumber > (found.at(-1)?.number ?? 0)
      if (!isNext || Size === undefined || !ETag || LastModified === undefined) {
        throw unavailable(badPage('an incomplete entry, or one out of order'))
      }
      found.push({ number: PartNumber, size: Size, tag: unquoted(ETag), written: LastModified.getTime() })
    }
    // Ceph always names the next part, so that the SDK's own paginator would never end.
    more = page.IsTruncated === true
  }
  return found
}

/** @returns `null` if the upload has ended */
function fetchParts(
  bucket: Bucket,
  { name, uploadId }: Multipart,
  after: number,
): Promise<ListPartsCommandOutput | null> {
  const input = { Bucket: bucket.name, Key: name, UploadId: uploadId, PartNumberMarker: `${after}` }
  const command = checked(new ListPartsCommand(input), { root: 'ListPartsResult' })
  return bucket.call(async (options) => {
    try {
      const page = await bucket.client.send(command, options)
      const isOurs = page.UploadId === uploadId && page.IsTruncated !== undefined
      if (!isOurs || (page.IsTruncated && !page.Parts?.length)) throw badPage('the parts of another upload')
      return page
    } catch (error) {
      // Ceph says NoSuchKey.
      if (isNamed(error, 'NoSuchUpload', 'NoSuchKey')) return null
      throw error
    }
  })
}
