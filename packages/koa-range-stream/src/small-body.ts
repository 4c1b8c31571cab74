import { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type Koa from 'koa'
import { contentTruncated } from './errors.ts'
import { acquireBuffer, MIDDLE, releaseBuffer } from './file/buffers.ts'
import type { Descriptor } from './file/descriptors.ts'
import type { FilePiece } from './file/file-stream.ts'
import type { Awaitable } from './file/file-system.ts'

/** The longest body, in bytes, that is read completely: Koa 3's pipeline alone takes longer than reading it. */
export const SMALL: number = MIDDLE

/** A complete body, at the beginning of a reusable buffer. */
export interface SmallBody {
  readonly bytes: Buffer
  readonly buffer: Buffer
}

/** Returns the bytes of the pieces, `length` in total, and releases the file. */
export async function readSmall(
  file: Descriptor,
  pieces: readonly FilePiece[],
  length: number,
): Promise<SmallBody> {
  const buffer = acquireBuffer(length)
  try {
    let at = 0
    for (const piece of pieces) {
      if (Buffer.isBuffer(piece)) at += piece.copy(buffer, at)
      else at = await readRange(file, buffer, at, piece.start, piece.end + 1)
    }
    return { bytes: buffer.subarray(0, length), buffer }
  } catch (error) {
    file.evict()
    throw error
  } finally {
    file.release()
  }
}

/** Returns all bytes of a stream of `length` bytes. Resolves to the stream itself if it is destroyed before its end. */
export function gather(stream: Readable, length: number): Promise<SmallBody | Readable> {
  const buffer = acquireBuffer(length)
  let at = 0
  return new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      at += chunk.copy(buffer, at)
    })
    stream.on('end', () => resolve({ bytes: buffer.subarray(0, at), buffer }))
    stream.on('error', reject).on('close', () => resolve(stream))
  })
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

interface Loan {
  bytes: Buffer | undefined
  reads: number
}

const LOAN: unique symbol = Symbol('loan')

interface Lent {
  [LOAN]?: Loan
}

/**
 * A shared descriptor, because a new accessor per response would give each response its own hidden class. If only Koa
 * has read `ctx.body` (once, to send it), the buffer is recycled; any other reader, such as a cache, may have kept it.
 */
const bodyOnLoan: PropertyDescriptor & ThisType<Koa.Response & Lent> = {
  configurable: true,
  enumerable: true,
  get() {
    const loan = this[LOAN]
    if (loan === undefined) return undefined
    loan.reads++
    return loan.bytes
  },
  set(body: unknown) {
    Reflect.deleteProperty(this, 'body')
    this.body = body
  },
}

/** Recycles the buffer once the response is sent, if only Koa has read the body. */
export function releaseWhenSent(ctx: Koa.Context, { bytes, buffer }: SmallBody): void {
  const { res, status } = ctx
  // Middleware that replaces `res.end` may keep its chunks, and HTTP/2 does not report when they are sent.
  if (!(res instanceof ServerResponse) || res.end !== ServerResponse.prototype.end) return
  const loan: Loan = { bytes, reads: 0 }
  const response: Koa.Response & Lent = ctx.response
  response[LOAN] = loan
  Object.defineProperty(response, 'body', bodyOnLoan)
  // 'finish' means that the kernel has all bytes.
  res.once('finish', () => {
    // After an error Koa sends another body, so the one read was by other middleware.
    const sentByKoa = loan.reads === 1 && ctx.respond !== false && res.statusCode === status
    if (!sentByKoa || res.end !== ServerResponse.prototype.end) return
    loan.bytes = undefined
    releaseBuffer(buffer)
  })
}
