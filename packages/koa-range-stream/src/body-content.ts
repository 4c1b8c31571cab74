import { ReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type Koa from 'koa'
import { type ByteRange, parseHttpDate } from 'range-core'
import type { Content } from './content.ts'
import { type FileContentOptions, fileContent } from './file-content.ts'
import { isWebStream, webStreamContent } from './web-stream-content.ts'

/** Content that is in memory as a whole may show it. */
interface BodyContent extends Content {
  readonly bytes?: Buffer
}

/** The body as content with the entity-tag and the media type that the app has set, or `null` when it has to be left alone. */
export async function bodyContent(
  ctx: Koa.Context,
  body: unknown,
  { fileSystem }: Pick<FileContentOptions, 'fileSystem'>,
): Promise<BodyContent | null> {
  const content: BodyContent | null = await sliceable(ctx, body, fileSystem)
  if (content === null) return null
  // Koa takes every object for JSON, a Content too.
  if (content === body && ctx.type === 'application/json') ctx.remove('Content-Type')
  return {
    size: content.size,
    name: content.name,
    etag: strongest(header(ctx, 'ETag'), content.etag),
    lastModified: content.lastModified ?? parseHttpDate(header(ctx, 'Last-Modified') ?? '') ?? undefined,
    type: header(ctx, 'Content-Type') ?? content.type,
    // With what the function carries, and its object, which it may ask for.
    stream: Object.assign((range?: ByteRange) => content.stream(range), content.stream),
    ...(content.bytes === undefined ? {} : { bytes: content.bytes }),
  }
}

/** Koa's own `get` is typed as a string and gives `undefined` for a field that is not set. */
function header(ctx: Koa.Context, name: string): string | undefined {
  const value = ctx.res.getHeader(name)
  return value === undefined ? undefined : String(value)
}

/** What the app says, but a weak tag, which @koa/etag gives every file: with it no If-Range would ever match. */
function strongest(declared: string | undefined, own: string | undefined): string | undefined {
  return declared?.startsWith('W/') ? (own ?? declared) : (declared ?? own)
}

async function sliceable(
  ctx: Koa.Context,
  body: unknown,
  fileSystem: FileContentOptions['fileSystem'],
): Promise<BodyContent | null> {
  if (typeof body === 'string') return bufferContent(Buffer.from(body))
  if (Buffer.isBuffer(body)) return bufferContent(body)
  if (body instanceof Blob) return blobContent(body)
  if (body instanceof ReadStream) return isWholeFile(body) ? fileOf(ctx, String(body.path), fileSystem) : null
  if (isWebStream(body)) return webStreamContent(ctx, body)
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

function blobContent(blob: Blob): Content {
  return {
    size: blob.size,
    ...(blob.type === '' ? {} : { type: blob.type }),
    stream: ({ start, end } = { start: 0, end: blob.size - 1 }) => blob.slice(start, end + 1).stream(),
  }
}

/** koa-static has looked at the file before: one that has gone since must not become a connection that breaks. */
async function fileOf(
  ctx: Koa.Context,
  path: string,
  fileSystem: FileContentOptions['fileSystem'],
): Promise<Content | null> {
  const content = (await fileContent(path, { fileSystem })) ?? ctx.throw(404)
  // Files of /proc and their like say that they are empty and are not.
  return content.size === 0 && (await hasBytes(path)) ? null : content
}

async function hasBytes(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    return (await file.read(Buffer.alloc(1), 0, 1, 0)).bytesRead > 0
  } finally {
    await file.close()
  }
}

/** Opened by name, from the first byte to the last, as bytes, and not yet read: it may be opened again elsewhere. */
function isWholeFile(stream: ReadStream & { start?: unknown; end?: unknown }): boolean {
  const { path, start, end } = stream
  const whole =
    (start === undefined || start === 0) && (end === undefined || end === Number.POSITIVE_INFINITY)
  return typeof path === 'string' && whole && stream.readableEncoding === null && !stream.readableDidRead
}

function isContent(body: unknown): body is Content {
  if (typeof body !== 'object' || body === null || body instanceof Blob) return false
  return (
    'size' in body && typeof body.size === 'number' && 'stream' in body && typeof body.stream === 'function'
  )
}
