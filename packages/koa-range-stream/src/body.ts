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
 * Returns the body of a planned response. Its first source is opened, and a small body is read completely, so that a
 * failure can still become a status.
 *
 * @param gathering called with a stream that is read completely here
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
    // @koa/etag would compute the entity-tag of a range in memory as if it were the whole content.
    if (length > SMALL || plan.headers['ETag'] === undefined) return stream
    gathering(stream)
    return gather(stream, length)
  }
  const pieces = filePieces(content, plan)
  return length <= SMALL ? readSmall(file, pieces, length) : new FileStream(file, pieces)
}

/** Returns a body of the whole content that is opened when it is first read; `opening` is called then. */
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
