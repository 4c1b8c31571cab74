import { read } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { ByteRange } from 'range-core'

const CHUNK_LENGTH = 64 * 1024

/**
 * The bytes of `range` in an open file, which it closes when it ends or is destroyed.
 *
 * Unlike `fs.ReadStream` it fails when the file ends early: Content-Length is already on the wire, and a client that is
 * left waiting for bytes that no longer exist hangs, or takes the next response on the connection for them.
 */
export class FileStream extends Readable {
  readonly #file: FileHandle
  #position: number
  #left: number
  #reading = false
  #whenRead: (() => void) | undefined

  constructor(file: FileHandle, range: ByteRange) {
    super({ highWaterMark: CHUNK_LENGTH })
    this.#file = file
    this.#position = range.start
    this.#left = range.end - range.start + 1
  }

  override _read(): void {
    if (this.#left === 0) {
      this.push(null)
      return
    }
    const chunk = Buffer.allocUnsafe(Math.min(this.#left, CHUNK_LENGTH))
    this.#reading = true
    read(this.#file.fd, chunk, 0, chunk.length, this.#position, (error, length) => {
      this.#reading = false
      this.#whenRead?.()
      if (this.destroyed) return
      if (error !== null) this.destroy(error)
      else if (length === 0) this.destroy(new Error(`The file ended ${this.#left} bytes early`))
      else this.#pushRead(chunk.subarray(0, length))
    })
  }

  #pushRead(chunk: Buffer): void {
    this.#position += chunk.length
    this.#left -= chunk.length
    this.push(chunk)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const close = () => this.#file.close().then(() => callback(error), callback)
    // Closing under a read would let the kernel hand the descriptor to another file before the read starts.
    if (this.#reading) this.#whenRead = close
    else close()
  }
}
