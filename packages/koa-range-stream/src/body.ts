import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { ByteRange, ResponsePlan } from 'range-core'
import type { ByteStream, Content } from './content.ts'
import { FileStream } from './file-stream.ts'
import { type Piece, PieceStream, type Source } from './piece-stream.ts'

/** The body of a planned response, its first source opened now, so that a failure can still become a status. */
export async function openBody(content: Content, plan: ResponsePlan): Promise<Readable> {
  const pieces = piecesOf(content, plan)
  const first = pieces.findIndex((piece) => !Buffer.isBuffer(piece))
  const piece = pieces[first]
  if (piece === undefined || Buffer.isBuffer(piece) || piece.length === 0) return new PieceStream(pieces)
  const stream = await piece.open()
  // It counts for itself, and one stream less is half the work for a small range.
  if (stream instanceof FileStream && pieces.length === 1) return stream
  const before = pieces.slice(0, first).filter((each) => Buffer.isBuffer(each))
  return new PieceStream(pieces.slice(first + 1), before, { length: piece.length, stream })
}

/** The same with nothing opened until it is read. */
export function lazyBody(content: Content, plan: ResponsePlan): Readable {
  return new PieceStream(piecesOf(content, plan))
}

function piecesOf(content: Content, plan: ResponsePlan): readonly Piece[] {
  if (plan.kind === 'partial') return [sourceOf(content, plan.range)]
  if (plan.kind !== 'multipart') return [sourceOf(content)]
  const { parts, tail } = plan.layout
  return [...parts.flatMap(({ head, range }) => [ascii(head), sourceOf(content, range)]), ascii(tail)]
}

function sourceOf(content: Content, range?: ByteRange): Source {
  const length = range === undefined ? content.size : range.end - range.start + 1
  return { length, open: () => openSource(content, range) }
}

async function openSource(content: Content, range?: ByteRange): Promise<Readable> {
  const opened = range === undefined ? content.stream() : content.stream(range)
  // Before the first await: the error of a stream that is failing already is emitted until then, and without a
  // listener ends the process.
  const source = opened instanceof Promise ? toReadable(await opened) : toReadable(opened)
  await null
  if (source.errored !== null) throw source.errored
  // It would never say that it has nothing to give.
  if (source.destroyed || source.readableEnded) throw new Error('The content was closed before it was read')
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
