import type Koa from 'koa'
import { malformed, metadataTooLong, RefusedError } from '../errors.ts'
import type { TusMetadata } from './upload-metadata.ts'
import { parseUploadMetadata } from './upload-metadata.ts'

/** The fields of tus in a request; `null` if the request does not have the field. */
export interface TusRequest {
  readonly offset: number | null
  /** Bytes of the whole upload. */
  readonly length: number | null
  /** Upload-Defer-Length: the client sends the length later. */
  readonly isDeferred: boolean
  /** Upload-Metadata as it was sent; empty if it was not. */
  readonly metadataField: string
  readonly metadata: TusMetadata
  readonly concat: Concat | null
  /** Whether the content has the media type of tus. */
  readonly hasType: boolean
}

/** Upload-Concat: the upload is a part, or it consists of the parts with these URLs. */
type Concat = { readonly kind: 'partial' } | { readonly kind: 'final'; readonly parts: readonly string[] }

/** The media type of content in tus. */
const OFFSET_STREAM = 'application/offset+octet-stream'

/**
 * In characters. Upload-Metadata is stored with the upload, which has room for 8 KiB of metadata in all. A final upload also
 * stores the URLs of its parts.
 */
const MAX_METADATA = { single: 6144, final: 4096 }

/**
 * Reads the fields of tus.
 *
 * @throws RefusedError 400 if a field is malformed, 431 if Upload-Metadata is too long
 * @see https://tus.io/protocols/resumable-upload (1.0.0)
 */
export function readTusRequest(ctx: Koa.Context): TusRequest {
  const metadataField = ctx.get('Upload-Metadata')
  const concat = parseConcat(ctx.get('Upload-Concat'))
  const limit = MAX_METADATA[concat?.kind === 'final' ? 'final' : 'single']
  if (metadataField.length > limit) throw new RefusedError(metadataTooLong(metadataField.length, limit))
  const deferred = ctx.get('Upload-Defer-Length')
  if (deferred !== '' && deferred !== '1')
    throw refuse(`Upload-Defer-Length is ${show(deferred)}. Its only value is 1.`)
  const [type = ''] = ctx.get('Content-Type').split(';')
  return {
    offset: integer(ctx, 'Upload-Offset'),
    length: integer(ctx, 'Upload-Length'),
    isDeferred: deferred === '1',
    metadataField,
    metadata: parseUploadMetadata(metadataField),
    concat,
    hasType: type.trim().toLowerCase() === OFFSET_STREAM,
  }
}

function integer(ctx: Koa.Context, name: string): number | null {
  const text = ctx.get(name)
  if (text === '') return null
  const isNumber = /^(?:0|[1-9]\d{0,15})$/.test(text) && Number.isSafeInteger(Number(text))
  if (!isNumber) throw refuse(`${name} is ${show(text)}. Send a number of bytes.`)
  return Number(text)
}

function parseConcat(text: string): Concat | null {
  if (text === '') return null
  if (text === 'partial') return { kind: 'partial' }
  const parts = /^final;(.*)$/.exec(text)?.[1]?.trim().split(/ +/).filter(Boolean) ?? []
  if (parts.length === 0)
    throw refuse(`Upload-Concat is ${show(text)}. Send "partial", or "final;" and the URLs of the parts.`)
  return { kind: 'final', parts }
}

function refuse(detail: string): RefusedError {
  return new RefusedError(malformed(detail))
}

function show(text: string): string {
  return JSON.stringify(text.slice(0, 40))
}
