import type { ServerResponse } from 'node:http'
import type { ByteRange } from 'range-core'
import { contentTruncated } from '../errors.ts'
import { acquireBuffer, LONG, MIDDLE, releaseBuffer, SHORT } from './buffers.ts'
import type { Descriptor } from './descriptors.ts'
import { COLD, kernelSender } from './send-by-kernel.ts'

/** A piece of a body that is read from a file: bytes of the file, or text between them. */
export type FilePiece = Buffer | ByteRange

/** The numbers of responses that may hold a long buffer, or a middle one, at once: 16 and 64 MiB for any number of slow clients. */
const FEW = 64
const MANY = 1024

/** A client that took so many bytes without a pause of so many ms is fast: its buffer soon becomes free. */
const FAST_BYTES = 8 * 1024 * 1024
const PAUSE = 50

/** The most that the kernel sends of one response, in bytes, before other connections get their turn. */
const TURN = 1024 * 1024

/** Responses that are being sent now. */
let sending = 0

/**
 * Has the kernel send what it takes of a single range now, and returns what is left: nothing of most responses, which then need
 * no promise.
 */
export function sendAtOnce(
  file: Descriptor,
  response: ServerResponse,
  pieces: readonly FilePiece[],
): readonly FilePiece[] {
  const [piece, next] = pieces
  if (piece === undefined || next !== undefined || Buffer.isBuffer(piece)) return pieces
  const { start, end } = piece
  const at = start + Math.max(0, sendByKernel(file, response, start, end + 1))
  return at > end ? [] : [{ start: at, end }]
}

/**
 * Returns the result of `KernelSender.send` for one turn.
 *
 * @param end exclusive
 */
function sendByKernel(file: Descriptor, response: ServerResponse, at: number, end: number): number {
  return kernelSender(response, file)?.send(response, file.fd, at, Math.min(end - at, TURN)) ?? 0
}

/**
 * Sends pieces of an open file to a response, in one loop without the buffers of streams: for small chunks, that halves
 * the time.
 *
 * It owns the memory that it reads into, which is used again when the kernel has the bytes, and no other code sees it.
 */
export class FileSender {
  readonly #file: Descriptor
  readonly #response: ServerResponse
  readonly #body: { readonly destroyed: boolean }
  #hasFailed = false
  #fastBytes = 0

  /** @param body what is sent, until it is destroyed */
  constructor(file: Descriptor, response: ServerResponse, body: { readonly destroyed: boolean }) {
    this.#file = file
    this.#response = response
    this.#body = body
  }

  /**
   * Resolves to `true` when the kernel has all bytes of the file, and to `false` if sending was cancelled or a write failed.
   *
   * @throws the error of a read, and `CONTENT_TRUNCATED` if the file has become shorter
   */
  async send(pieces: readonly FilePiece[]): Promise<boolean> {
    sending++
    try {
      for (const piece of pieces) {
        if (this.#isOver()) return false
        if (Buffer.isBuffer(piece)) this.#response.write(piece)
        else await this.#sendRange(piece.start, piece.end + 1)
      }
      return !this.#isOver()
    } finally {
      sending--
    }
  }

  #isOver(): boolean {
    return this.#hasFailed || this.#body.destroyed
  }

  /** @param end exclusive */
  async #sendRange(start: number, end: number): Promise<void> {
    let at = start
    while (at < end && !this.#isOver()) {
      const sent = sendByKernel(this.#file, this.#response, at, end)
      if (sent > 0) at += sent
      if (at === end) return
      if (sent === TURN) await new Promise(setImmediate)
      // The write's callback says that the socket has room again.
      else at += await this.#sendChunk(at, end, sent === COLD)
    }
  }

  /** Copies bytes to the response, and returns their number when the kernel has them. */
  async #sendChunk(at: number, end: number, isCold: boolean): Promise<number> {
    const buffer = acquireBuffer(Math.min(end - at, this.#chunkLength(isCold)))
    const length = Math.min(buffer.length, end - at)
    const count = await this.#file.read(buffer, 0, length, at, isCold ? 'network' : undefined)
    if (count === 0) throw contentTruncated(end - at)
    if (this.#isOver() || (await this.#write(buffer.subarray(0, count)))) releaseBuffer(buffer)
    else this.#hasFailed = true
    return count
  }

  /** Resolves to whether the kernel has the bytes: a buffer that is filled again before would send those of another file. */
  #write(bytes: Buffer): Promise<boolean> {
    const started = performance.now()
    return new Promise((resolve) => {
      this.#response.write(bytes, (error) => {
        const hasPaused = performance.now() - started > PAUSE
        this.#fastBytes = hasPaused ? 0 : this.#fastBytes + bytes.length
        resolve(!error)
      })
    })
  }

  #chunkLength(isCold: boolean): number {
    // The kernel sends what comes after it, so that a slow client holds a short buffer.
    if (!isCold && kernelSender(this.#response, this.#file) !== null) return SHORT
    if (sending <= FEW || this.#fastBytes >= FAST_BYTES) return LONG
    return sending <= MANY ? MIDDLE : SHORT
  }
}
