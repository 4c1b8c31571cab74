import { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { types } from 'node:util'
import type { ByteRange } from 'range-core'
import { contentTruncated } from '../errors.ts'
import { acquireBuffer, LONG, MIDDLE, releaseBuffer, SHORT } from './buffers.ts'
import type { Descriptor } from './descriptors.ts'

/** What a body of a file is made of: bytes of the file, and text between them. */
export type FilePiece = Buffer | ByteRange

/** So many may hold a long buffer, or a middle one, at once: 16 and 64 MiB, however many clients are slow. */
const FEW = 64
const MANY = 1024

/** A client that has let the kernel take so many bytes without a pause of so many ms reads on: its buffer soon comes back. */
const SWIFT_BYTES = 8 * 1024 * 1024
const PAUSE = 50

/** Streams that send to a response now. */
let sending = 0

/**
 * Pieces of an open file, which it releases when it ends or is destroyed.
 *
 * Unlike `fs.ReadStream` it fails when the file ends early: Content-Length is already on the wire, and a client that is
 * left waiting for bytes that no longer exist hangs, or takes the next response on the connection for them.
 *
 * Piped to the server's own response it reads and writes in one loop, with buffers that are used again: for small chunks
 * that is twice as fast as going through the stream's own buffer. To everybody else it is an ordinary stream.
 */
export class FileStream extends Readable {
  readonly #file: Descriptor
  readonly #pieces: FilePiece[]
  #position = 0
  #left = 0
  #reading = false
  #whenRead: (() => void) | undefined
  #isSending = false
  #swiftBytes = 0

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
    else this.#readFile(Buffer.allocUnsafe(Math.min(this.#left, MIDDLE)), (bytes) => this.push(bytes))
  }

  override pipe<T extends NodeJS.WritableStream>(target: T, options: { end?: boolean } = {}): T {
    if (!isServersOwn(target) || !this.#isUntouched()) return super.pipe(target, options)
    if (options.end !== false) this.once('end', () => target.end())
    this.#isSending = true
    sending++
    target.emit('pipe', this)
    this.#send(target)
    return target
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#isSending) sending--
    const release = () => {
      this.#file.release()
      callback(error)
    }
    // Closing under a read would let the kernel hand the descriptor to another file before the read starts.
    if (this.#reading) this.#whenRead = release
    else release()
  }

  #isUntouched(): boolean {
    const listeners = this.listenerCount('data') + this.listenerCount('readable')
    return this.readableFlowing === null && listeners === 0 && this.readableLength === 0 && !this.destroyed
  }

  #send(response: ServerResponse): void {
    for (let text = this.#nextText(); text !== null; text = this.#nextText()) response.write(text)
    if (this.#left === 0) {
      this.push(null)
      this.resume()
      return
    }
    const buffer = acquireBuffer(Math.min(this.#left, this.#chunkLength()))
    this.#readFile(buffer, (bytes) => {
      const started = performance.now()
      // Only now the kernel has the bytes: a buffer that is filled again before would send those of another file.
      response.write(bytes, (error) => {
        if (error) return
        releaseBuffer(buffer)
        const paused = performance.now() - started > PAUSE
        this.#swiftBytes = paused ? 0 : this.#swiftBytes + bytes.length
        // The end, too, waits for the kernel: Node counts a connection whose response was ended as idle, and closes it.
        if (!this.destroyed) this.#send(response)
      })
    })
  }

  #chunkLength(): number {
    if (sending <= FEW || this.#swiftBytes >= SWIFT_BYTES) return LONG
    return sending <= MANY ? MIDDLE : SHORT
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

  async #readFile(buffer: Buffer, take: (bytes: Buffer) => void): Promise<void> {
    const length = await this.#readNext(buffer)
    if (!this.destroyed) take(buffer.subarray(0, length))
  }

  /** Reads into `buffer` and resolves to the number of bytes; 0 after the stream has been destroyed. */
  async #readNext(buffer: Buffer): Promise<number> {
    this.#reading = true
    try {
      const length = await this.#file.read(buffer, 0, Math.min(buffer.length, this.#left), this.#position)
      if (length === 0) throw contentTruncated(this.#left)
      this.#position += length
      this.#left -= length
      return length
    } catch (error) {
      this.#file.evict()
      this.destroy(types.isNativeError(error) ? error : new Error(String(error)))
      return 0
    } finally {
      this.#reading = false
      this.#whenRead?.()
    }
  }
}

/** Whether `write` is Node's own. A replaced `write`, e.g. of a compressor, may keep the buffers that it gets. */
function isServersOwn(target: NodeJS.WritableStream): target is ServerResponse {
  return target instanceof ServerResponse && target.write === ServerResponse.prototype.write
}
