import { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { types } from 'node:util'
import { contentTruncated } from '../errors.ts'
import { MIDDLE } from './buffers.ts'
import type { Descriptor } from './descriptors.ts'
import { type FilePiece, FileSender, sendAtOnce } from './file-sender.ts'

/**
 * Pieces of an open file, which it releases when it ends or is destroyed.
 *
 * Unlike `fs.ReadStream` it fails when the file ends early: Content-Length is already on the wire, and a client that is
 * left waiting for bytes that no longer exist hangs, or takes the next response on the connection for them.
 *
 * Piped to the server's own response, it hands the pieces to a `FileSender` and reads nothing itself. Every other reader
 * gets new memory, which it may keep.
 */
export class FileStream extends Readable {
  readonly #file: Descriptor
  readonly #pieces: FilePiece[]
  #position = 0
  #left = 0
  #isSending = false

  constructor(file: Descriptor, pieces: readonly FilePiece[]) {
    super({ highWaterMark: MIDDLE })
    this.#file = file
    this.#pieces = [...pieces]
  }

  override _read(): void {
    if (this.#isSending) return
    const text = this.#nextText()
    if (text !== null) this.push(text)
    else if (this.#left === 0) this.push(null)
    else this.#readNext().catch((error) => this.#fail(error))
  }

  override pipe<T extends NodeJS.WritableStream>(target: T, options: { end?: boolean } = {}): T {
    if (!isServersOwn(target) || !this.isUntouched()) return super.pipe(target, options)
    if (options.end !== false) this.once('end', () => target.end())
    target.emit('pipe', this)
    this.#sendAll(target, () => {
      this.push(null)
      this.resume()
    })
    return target
  }

  /** Sends all pieces to the server's own response, and ends it. No event of this stream precedes the end, unlike in `pipe`. */
  sendTo(response: ServerResponse): void {
    const end = () => {
      response.end()
      this.destroy()
    }
    try {
      const rest = sendAtOnce(this.#file, response, this.#pieces)
      if (rest.length === 0) end()
      else this.#sendAll(response, end, rest)
    } catch (error) {
      this.#fail(error)
    }
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#file.release()
    callback(error)
  }

  /** Whether no other code reads, or has read, this stream. */
  isUntouched(): boolean {
    const listeners = this.listenerCount('data') + this.listenerCount('readable')
    return this.readableFlowing === null && listeners === 0 && this.readableLength === 0 && !this.destroyed
  }

  #sendAll(
    response: ServerResponse,
    whenSent: () => void,
    pieces: readonly FilePiece[] = this.#pieces,
  ): void {
    this.#isSending = true
    new FileSender(this.#file, response, this)
      .send(pieces)
      .then((isComplete) => {
        if (isComplete && !this.destroyed) whenSent()
      })
      .catch((error) => this.#fail(error))
  }

  /** Text that comes next; `null` when it is the file's turn, or nothing is left. */
  #nextText(): Buffer | null {
    if (this.#left > 0) return null
    const piece = this.#pieces.shift()
    if (piece === undefined || Buffer.isBuffer(piece)) return piece ?? null
    this.#position = piece.start
    this.#left = piece.end - piece.start + 1
    return this.#nextText()
  }

  async #readNext(): Promise<void> {
    const bytes = Buffer.allocUnsafe(Math.min(this.#left, MIDDLE))
    const length = await this.#file.read(bytes, 0, bytes.length, this.#position)
    if (length === 0) throw contentTruncated(this.#left)
    this.#position += length
    this.#left -= length
    if (!this.destroyed) this.push(bytes.subarray(0, length))
  }

  #fail(error: unknown): void {
    this.#file.evict()
    this.destroy(types.isNativeError(error) ? error : new Error(String(error)))
  }
}

/**
 * Whether nothing replaces what is written to the response, or what ends it. A replaced `write`, e.g. of a compressor, may keep the
 * buffers that it gets.
 */
export function isServersOwn(target: unknown): target is ServerResponse {
  const { write, end } = ServerResponse.prototype
  return target instanceof ServerResponse && target.write === write && target.end === end
}
