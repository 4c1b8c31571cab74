import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { ByteRange, ResponsePlan } from 'range-core'
import type { ByteStream, Content } from './content.ts'
import { contentClosed } from './errors.ts'
import { type FilePiece, FileStream } from './file/file-stream.ts'
import { acquireFile } from './file/open-file.ts'
import { type Piece, PieceStream, type Source } from './piece-stream.ts'
import { gather, readSmall, SMALL, type SmallBody } from './small-body.ts'

/**
 * The body of a planned response, its first source opened now, and all of a small one read, so that a failure can still
 * become a status.
 *
 * @param gathering called with a stream that is read here
 */
export async function openBody(
  content: Content,
  plan: ResponsePlan,
  gathering: (stream: Readable) => void,
): Promise<Readable | SmallBody> {
  const file = await acquireFile(content)
  const length = bodyLength(content, plan)
  if (file === null) {
    const stream = await openPieces(pieceSources(content, plan))
    // @koa/etag would take a range in memory for all of the content.
    if (length > SMALL || plan.headers['ETag'] === undefined) return stream
    gathering(stream)
    return gather(stream, length)
  }
  const pieces = filePieces(content, plan)
  return length <= SMALL ? readSmall(file, pieces, length) : new FileStream(file, pieces)
}

/** All of the content, opened when it is read, which `opening` is told. */
export function lazyBody(content: Content, opening: () => void): Readable {
  const open = () => {
    opening()
    return openSource(content)
  }
  return new PieceStream([{ length: content.size, open }])
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
  // All of it is asked for without a range: not every content can be sliced.
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
  // Before the first await: the error of a stream that is failing already is emitted until then, and without a
  // listener ends the process.
  const source = opened instanceof Promise ? toReadable(await opened) : toReadable(opened)
  await null
  if (source.errored !== null) throw source.errored
  // It would never say that it has nothing to give.
  if (source.destroyed || source.readableEnded) throw contentClosed()
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
