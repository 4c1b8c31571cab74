import { ReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import type Koa from 'koa'
import type { ByteRange } from 'range-core'
import { blobContent, isBlob } from './blob-content.ts'
import type { Content } from './content.ts'
import type { FileContentOptions } from './file/file-content.ts'
import { fileOfStream } from './file/file-of-stream.ts'
import { responseField } from './planned-response.ts'
import { isWebStream, webStreamContent } from './web-stream-content.ts'

/** Content that may be in memory as a whole. */
interface BodyContent extends Content {
  readonly bytes?: Buffer
}

/** The body as content with the media type that the app has set, or `null` if it is sent as Koa alone sends it. */
export async function bodyContent(
  ctx: Koa.Context,
  body: unknown,
  { fileSystem }: Pick<FileContentOptions, 'fileSystem'>,
): Promise<BodyContent | null> {
  const content: BodyContent | null = await sliceable(ctx, body, fileSystem)
  if (content === null) return null
  // Koa takes every object of an unknown class for JSON; it declares the length of a Blob that it recognises.
  const isUnknown = content === body || (isBlob(body) && !ctx.res.hasHeader('Content-Length'))
  if (isUnknown && ctx.type === 'application/json') ctx.remove('Content-Type')
  return {
    size: content.size,
    name: content.name,
    etag: content.etag,
    lastModified: content.lastModified,
    type: responseField(ctx, 'Content-Type') ?? content.type,
    immutableFile: content.immutableFile,
    // The stream needs its properties, such as the descriptor of its file, and its object as `this`.
    stream: Object.assign((range?: ByteRange) => content.stream(range), content.stream),
    ...(content.bytes === undefined ? {} : { bytes: content.bytes }),
  }
}

async function sliceable(
  ctx: Koa.Context,
  body: unknown,
  fileSystem: FileContentOptions['fileSystem'],
): Promise<BodyContent | null> {
  if (typeof body === 'string') return bufferContent(Buffer.from(body))
  if (Buffer.isBuffer(body)) return bufferContent(body)
  if (body instanceof ReadStream) return fileOfStream(ctx, body, fileSystem)
  if (isWebStream(body)) return webStreamContent(ctx, body)
  if (isBlob(body)) return blobContent(body)
  return isContent(body) ? body : null
}

function bufferContent(buffer: Buffer): BodyContent {
  return {
    bytes: buffer,
    size: buffer.length,
    stream: ({ start, end } = { start: 0, end: buffer.length - 1 }) =>
      Readable.from([buffer.subarray(start, end + 1)]),
  }
}

function isContent(body: unknown): body is Content {
  if (typeof body !== 'object' || body === null) return false
  // Koa knows how to send a stream. A Blob's `stream` takes no range: it would give its first bytes for every range.
  if ('pipe' in body || 'arrayBuffer' in body) return false
  return (
    'size' in body && typeof body.size === 'number' && 'stream' in body && typeof body.stream === 'function'
  )
}
