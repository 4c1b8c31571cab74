import { Readable } from 'node:stream'
import { contentTruncated } from './errors.ts'

/** How long a source that has given all its bytes may take to end, in ms. */
const END_GRACE = 1000

/** `length` bytes that are opened when it is their turn. */
export interface Source {
  readonly length: number
  readonly open: () => Promise<Readable>
}

/** What a body is made of. */
export type Piece = Buffer | Source

/**
 * Concatenates pieces, each of exactly its length, because Content-Length has been sent. A longer source is cut. A
 * shorter one fails the stream: the client would wait without a limit, or read the next response as the rest.
 * Destroying the stream destroys the source that is open.
 */
export class PieceStream extends Readable {
  readonly #pieces: Piece[]
  #source: Readable | undefined
  /** Bytes that the source still owes. */
  #left = 0

  /** @param opened a source that is open already, which comes after `before` and before `pieces` */
  constructor(
    pieces: readonly Piece[],
    before: readonly Buffer[] = [],
    opened?: { readonly length: number; readonly stream: Readable },
  ) {
    super()
    this.#pieces = [...pieces]
    for (const bytes of before) this.push(bytes)
    if (opened !== undefined) this.#take(opened.stream, opened.length)
  }

  override _read(): void {
    if (this.#source === undefined) this.#next()
    else this.#source.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#source?.destroy()
    callback(error)
  }

  #next(): void {
    const piece = this.#pieces.shift()
    if (piece === undefined) this.push(null)
    else if (Buffer.isBuffer(piece)) this.push(piece)
    else if (piece.length === 0) this.#next()
    else {
      const opened = (source: Readable) => this.#opened(source, piece.length)
      piece.open().then(opened, (error) => this.destroy(error))
    }
  }

  #opened(source: Readable, length: number): void {
    if (this.destroyed) {
      source.destroy()
      return
    }
    this.#take(source, length)
    source.resume()
  }

  #take(source: Readable, length: number): void {
    this.#source = source
    this.#left = length
    source.pause()
    source.on('data', (bytes: Uint8Array | string) => this.#give(source, bytes))
    source.on('error', (error) => {
      if (this.#source === source) this.destroy(error)
    })
    // 'end' too: not every stream closes itself.
    for (const event of ['end', 'close']) source.on(event, () => this.#ended(source))
  }

  #give(source: Readable, bytes: Uint8Array | string): void {
    if (source !== this.#source) return
    // A stream of text counts characters where we count bytes.
    const chunk = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
    this.#left -= chunk.length
    if (this.#left <= 0) this.#release(source)
    const wanted = this.push(this.#left < 0 ? chunk.subarray(0, this.#left) : chunk)
    if (!wanted && source === this.#source) source.pause()
  }

  /** The source has given its length: what comes after that is surplus, and its end what a keep-alive backend needs. */
  #release(source: Readable): void {
    this.#source = undefined
    if (this.#left < 0) {
      source.destroy()
      return
    }
    source.on('data', () => source.destroy())
    source.resume()
    this.once('close', () => {
      if (source.closed) return
      const timer = setTimeout(() => source.destroy(), this.readableEnded ? END_GRACE : 0).unref()
      source.once('close', () => clearTimeout(timer))
    })
  }

  #ended(source: Readable): void {
    if (this.#source !== source || this.destroyed) return
    this.destroy(contentTruncated(this.#left))
  }
}
