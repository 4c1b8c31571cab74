import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { ByteRange, MultipartLayout } from 'range-core'
import type { ByteStream, Content } from './content.ts'
import { FileStream } from './file-stream.ts'
import { type Piece, PieceStream } from './piece-stream.ts'

/** All of the content or a range of it, opened now, so that a failure can still become a status of its own. */
export async function openBody(content: Content, range?: ByteRange): Promise<Readable> {
  if (content.size === 0) return new PieceStream([])
  const source = await openSource(content, range)
  // It counts for itself, and one stream less is half the work for a small range.
  return source instanceof FileStream
    ? source
    : new PieceStream([], { source, length: lengthOf(content, range) })
}

/** All of the content, opened when first read: never, where koa-conditional-get turns the response into a 304. */
export function lazyBody(content: Content): Readable {
  return new PieceStream([pieceOf(content)])
}

/** A multipart/byteranges body; its first part is opened now, the others when it is their turn. */
export async function multipartBody(content: Content, { parts, tail }: MultipartLayout): Promise<Readable> {
  const [first, ...others] = parts
  if (first === undefined) throw new RangeError('A multipart body needs a part')
  const source = await openSource(content, first.range)
  const body = new PieceStream(
    [...others.flatMap(({ head, range }) => [ascii(head), pieceOf(content, range)]), ascii(tail)],
    { source, length: lengthOf(content, first.range) },
  )
  body.push(ascii(first.head))
  return body
}

function pieceOf(content: Content, range?: ByteRange): Piece {
  return { length: lengthOf(content, range), open: () => openSource(content, range) }
}

async function openSource(content: Content, range?: ByteRange): Promise<Readable> {
  const opened = range === undefined ? content.stream() : content.stream(range)
  // Before the first await: the error of a stream that is failing already is emitted until then, and without a
  // listener ends the process.
  const source = opened instanceof Promise ? toReadable(await opened) : toReadable(opened)
  await null
  if (source.errored !== null) throw source.errored
  return source
}

/** A Node stream, the only kind whose abort and HEAD Koa handles right, with somebody listening to its errors. */
function toReadable(stream: ByteStream): Readable {
  const source = stream instanceof Readable ? stream : Readable.fromWeb(stream as ReadableStream)
  return source.on('error', () => {})
}

function ascii(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

function lengthOf(content: Content, range?: ByteRange): number {
  return range === undefined ? content.size : range.end - range.start + 1
}
