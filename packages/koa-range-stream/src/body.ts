import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type Koa from 'koa'
import type { ByteRange, ResponsePlan } from 'range-core'
import { endWithClient, isClientGone, tieToClient } from './client-abort.ts'
import type { ByteStream, Content } from './content.ts'
import { contentClosed, contentTruncated } from './errors.ts'
import type { Descriptor } from './file/descriptors.ts'
import type { FilePiece } from './file/file-sender.ts'
import { FileStream } from './file/file-stream.ts'
import type { Awaitable } from './file/file-system.ts'
import { acquireFile } from './file/open-file.ts'
import { kernelSender } from './file/send-by-kernel.ts'
import { type Piece, PieceStream, type Source } from './piece-stream.ts'

/** The longest body, in bytes, that is read completely: Koa 3's pipeline alone takes longer than reading it. */
const SMALL = 64 * 1024
/** The same if the kernel can send the file: reading more takes longer than `sendfile`. */
const SMALL_BESIDE_SENDFILE = 16 * 1024

/** What Koa gets as `ctx.body`. The memory of a Buffer belongs to its readers, and is never used again. */
export type Body = Readable | Buffer | null

/**
 * Returns the body of a planned response. Its first source is opened, and a small body is read completely, so that a
 * failure can still become a status. Nothing is opened for HEAD, 304, 412 and 416.
 */
export function openBody(
  ctx: Koa.Context,
  content: Content & { readonly bytes?: Buffer },
  plan: ResponsePlan,
): Awaitable<Body> {
  if (ctx.method === 'HEAD' || plan.status === 412 || plan.status === 416) return null
  // Unchanged, for @koa/etag and other middleware upstream that inspects bodies.
  if (content.bytes !== undefined && plan.status !== 206) return content.bytes
  if (plan.status === 304) return lazyBody(ctx, content)
  const file = acquireFile(content)
  if (file === null) return openStream(ctx, content, plan)
  return file instanceof Promise
    ? file.then((opened) =>
        opened === null ? openStream(ctx, content, plan) : fileBody(ctx, content, plan, opened),
      )
    : fileBody(ctx, content, plan, file)
}

function fileBody(ctx: Koa.Context, content: Content, plan: ResponsePlan, file: Descriptor): Awaitable<Body> {
  const length = bodyLength(content, plan)
  const pieces = filePieces(content, plan)
  const isSmall = length <= SMALL_BESIDE_SENDFILE || (length <= SMALL && kernelSender(ctx.res, file) === null)
  return isSmall ? readSmall(file, pieces, length) : new FileStream(file, pieces)
}

/** Returns the bytes of the pieces, `length` in total, and releases the file. */
async function readSmall(file: Descriptor, pieces: readonly FilePiece[], length: number): Promise<Buffer> {
  // New memory, because any middleware may keep `ctx.body`.
  const bytes = Buffer.allocUnsafe(length)
  try {
    let at = 0
    for (const piece of pieces) {
      if (Buffer.isBuffer(piece)) at += piece.copy(bytes, at)
      else at = await readRange(file, bytes, at, piece.start, piece.end + 1)
    }
    return bytes
  } catch (error) {
    file.evict()
    throw error
  } finally {
    file.release()
  }
}

/**
 * Reads a range into the buffer, and returns the position of the next piece in the buffer.
 *
 * @param end exclusive
 */
function readRange(
  file: Descriptor,
  buffer: Buffer,
  at: number,
  start: number,
  end: number,
): Awaitable<number> {
  if (start === end) return at
  const next = (count: number) => {
    if (count === 0) throw contentTruncated(end - start)
    return readRange(file, buffer, at + count, start + count, end)
  }
  const count = file.read(buffer, at, end - start, start)
  return typeof count === 'number' ? next(count) : count.then(next)
}

async function openStream(ctx: Koa.Context, content: Content, plan: ResponsePlan): Promise<Body> {
  if (isClientGone(ctx)) return lazyBody(ctx, content)
  const stream = await openPieces(pieceSources(content, plan))
  const length = bodyLength(content, plan)
  // @koa/etag would compute the entity-tag of a range in memory as if it were the whole content.
  if (length > SMALL || plan.headers['ETag'] === undefined) return stream
  endWithClient(ctx, stream)
  return gather(stream, length)
}

/** Returns all bytes of a stream of `length` bytes. Resolves to the stream itself if it is destroyed before its end. */
function gather(stream: Readable, length: number): Promise<Buffer | Readable> {
  const bytes = Buffer.allocUnsafe(length)
  let at = 0
  return new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      at += chunk.copy(bytes, at)
    })
    stream.on('end', () => resolve(bytes.subarray(0, at)))
    stream.on('error', reject).on('close', () => resolve(stream))
  })
}

/** Returns a body of the whole content that is opened, and tied to the client, when it is first read. */
function lazyBody(ctx: Koa.Context, content: Content): Readable {
  const open = () => {
    tieToClient(ctx, body)
    return openSource(content)
  }
  const body = new PieceStream([{ length: content.size, open }])
  return body
}
async function openPieces(pieces: readonly Piece[]): Promise<Readable> {
  const first = pieces.findIndex((piece) => !Buffer.isBuffer(piece))
  const piece = pieces[first]
  if (piece === undefined || Buffer.isBuffer(piece) || piece.length === 0) return new PieceStream(pieces)
  const stream = await piece.open()
  const before = pieces.slice(0, first).filter((each) => Buffer.isBuffer(each))
  return new PieceStream(pieces.slice(first + 1), before, { length: piece.length, stream })
}

function bodyLength({ size }: Content, plan: ResponsePlan): number {
  if (plan.kind === 'partial') return plan.range.end - plan.range.start + 1
  return plan.kind === 'multipart' ? plan.layout.contentLength : size
}

function filePieces({ size }: Content, plan: ResponsePlan): readonly FilePiece[] {
  if (plan.kind === 'partial') return [plan.range]
  if (plan.kind !== 'multipart') return [{ start: 0, end: size - 1 }]
  const { parts, tail } = plan.layout
  return [...parts.flatMap(({ head, range }) => [ascii(head), range]), ascii(tail)]
}

function pieceSources(content: Content, plan: ResponsePlan): readonly Piece[] {
  // Whole content is requested without a range, because not every content supports ranges.
  if (plan.kind !== 'partial' && plan.kind !== 'multipart') return [pieceSource(content)]
  return filePieces(content, plan).map((piece) =>
    Buffer.isBuffer(piece) ? piece : pieceSource(content, piece),
  )
}

function pieceSource(content: Content, range?: ByteRange): Source {
  const length = range === undefined ? content.size : range.end - range.start + 1
  return { length, open: () => openSource(content, range) }
}

async function openSource(content: Content, range?: ByteRange): Promise<Readable> {
  const opened = range === undefined ? content.stream() : content.stream(range)
  // Before the first await, because a failing stream emits its error until then, and an error without a listener ends
  // the process.
  // By `then`, because a promise of another realm is no `instanceof Promise`.
  const source = 'then' in opened ? toReadable(await opened) : toReadable(opened)
  await null
  if (source.errored !== null) throw source.errored
  // Such a stream emits neither bytes nor an end.
  if (source.destroyed || source.readableEnded) throw contentClosed()
  return source
}

/**
 * Returns a Node stream, because Koa handles abort and HEAD correctly only for these. Its errors always have a
 * listener.
 */
function toReadable(stream: ByteStream): Readable {
  const source = stream instanceof Readable ? stream : Readable.fromWeb(stream as ReadableStream)
  return source.on('error', () => {})
}

function ascii(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}
