import { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type Koa from 'koa'
import { contentTruncated } from './errors.ts'
import { acquireBuffer, MIDDLE, releaseBuffer } from './file/buffers.ts'
import type { Descriptor } from './file/descriptors.ts'
import type { FilePiece } from './file/file-stream.ts'
import type { Awaitable } from './file/file-system.ts'

/** The longest body, in bytes, that is read at once: Koa 3's pipeline alone takes longer than the reading. */
export const SMALL: number = MIDDLE

/** A whole body, at the front of a buffer that can be used again. */
export interface SmallBody {
  readonly bytes: Buffer
  readonly buffer: Buffer
}

/** Reads the pieces, of `length` bytes in all, and releases the file. */
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

/** Reads all of a stream of `length` bytes; one that is destroyed meanwhile comes back as it is. */
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

/** @param end exclusive; gives where the next piece goes */
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
 * One for all, as V8 makes a new class of objects for each new accessor. Whoever reads `ctx.body` may keep it, a cache
 * for one; when nobody has but Koa, to send it, its memory is used again.
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

/** Takes the memory back when the response, whose body it is, is out and nobody else can have it. */
export function releaseWhenSent(ctx: Koa.Context, { bytes, buffer }: SmallBody): void {
  const { res, status } = ctx
  // Somebody who has put a method of their own there may keep what they are given; HTTP/2 does not tell when it is out.
  if (!(res instanceof ServerResponse) || res.end !== ServerResponse.prototype.end) return
  const loan: Loan = { bytes, reads: 0 }
  const response: Koa.Response & Lent = ctx.response
  response[LOAN] = loan
  Object.defineProperty(response, 'body', bodyOnLoan)
  // When the kernel has all of it.
  res.once('finish', () => {
    // After an error the one who has read it is not Koa.
    const sentByKoa = loan.reads === 1 && ctx.respond !== false && res.statusCode === status
    if (!sentByKoa || res.end !== ServerResponse.prototype.end) return
    loan.bytes = undefined
    releaseBuffer(buffer)
  })
}
