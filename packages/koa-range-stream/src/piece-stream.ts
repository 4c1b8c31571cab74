import { Readable } from 'node:stream'

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
 * The bytes of pieces, one after the other, each of exactly its length: Content-Length is on the wire, so a source that
 * gives more is cut, and one that gives less fails the stream, where a client would wait for ever or take the next
 * response for the rest. Destroying it destroys the source that is open.
 */
export class PieceStream extends Readable {
  readonly #pieces: Piece[]
  #source: Readable | undefined
  /** Bytes that the source still owes. */
  #left = 0
  #wanted = false

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
    this.#wanted = true
    if (this.#source === undefined) this.#next()
    else this.#pull()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#source?.destroy()
    callback(error)
  }

  #next(): void {
    const piece = this.#pieces.shift()
    this.#wanted = false
    if (piece === undefined) this.push(null)
    else if (Buffer.isBuffer(piece)) this.push(piece)
    else if (piece.length === 0) this.#next()
    else {
      this.#wanted = true
      piece.open().then(
        (source) => this.#opened(source, piece.length),
        (error) => this.destroy(error),
      )
    }
  }

  #opened(source: Readable, length: number): void {
    if (this.destroyed) {
      source.destroy()
      return
    }
    this.#take(source, length)
    this.#pull()
  }

  #take(source: Readable, length: number): void {
    this.#source = source
    this.#left = length
    source.on('readable', this.#pull)
    source.on('error', (error) => {
      if (this.#source === source) this.destroy(error)
    })
    // 'end' too: not every stream closes itself.
    for (const event of ['end', 'close']) source.on(event, () => this.#ended(source))
  }

  readonly #pull = (): void => {
    if (!this.#wanted || this.#source === undefined) return
    const read: Uint8Array | string | null = this.#source.read()
    if (read === null) return
    // A stream of text counts characters where we count bytes.
    const chunk = typeof read === 'string' ? Buffer.from(read) : read
    this.#wanted = false
    this.#left -= chunk.length
    if (this.#left <= 0) this.#release(this.#source)
    this.push(this.#left < 0 ? chunk.subarray(0, this.#left) : chunk)
  }

  /** The source has given its length: what comes after that is surplus, and its end what a keep-alive backend needs. */
  #release(source: Readable): void {
    this.#source = undefined
    if (this.#left < 0) {
      source.destroy()
      return
    }
    source.off('readable', this.#pull)
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
    this.destroy(new Error(`The content ended ${this.#left} bytes early`))
  }
}
