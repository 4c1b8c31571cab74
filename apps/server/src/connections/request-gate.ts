import type { IncomingMessage } from 'node:http'
import type { Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'

const END_OF_HEAD = Buffer.from('\r\n\r\n')

const gates = new WeakMap<Duplex, RequestGate>()

/** Puts a gate in front of the HTTP/1 parser of every connection. */
export function gateRequests(server: Server): void {
  const install = (socket: Socket) => gates.set(socket, new RequestGate(socket))
  if ('setSecureContext' in server) {
    server.on('secureConnection', (socket: TLSSocket) => {
      if (socket.alpnProtocol !== 'h2') install(socket)
    })
  } else server.on('connection', install)
}

export function findGate(socket: Duplex): RequestGate | undefined {
  return gates.get(socket)
}

/**
 * Passes what a connection receives to the parser one head at a time, and holds it while the gate is closed.
 *
 * Node reads 64 KiB and parses all of it in one turn: up to 2,600 requests, each an IncomingMessage and a ServerResponse of
 * 2 KiB together. Pausing the socket takes effect after that turn. In pieces that end with a head, the parser creates one
 * request at a time, and none is half parsed (and timed by headersTimeout) while the gate is closed.
 */
export class RequestGate {
  readonly #socket: Socket
  readonly #push: Socket['push']
  readonly #read: Socket['_read']
  /** Received, not parsed: at most one read, and `null` for the end. */
  readonly #held: (Buffer | null)[] = []
  #isClosed = false
  #isDiscarding = false
  /** The size of a read that the stream asked for while the gate held something. */
  #wanted: number | undefined
  /** The request whose head was at the end of the last piece. */
  #latest: IncomingMessage | undefined
  /** Bytes of a body of known length, which has no heads to look for. */
  #bodyLeft = 0
  /** The last characters of the last piece, where the end of a head may have begun. */
  #tail = ''

  /** @param socket one that has its parser already */
  constructor(socket: Socket) {
    this.#socket = socket
    this.#push = socket.push.bind(socket)
    this.#read = socket._read.bind(socket)
    // Node's parser reads past the stream until the first listener for its data.
    const listener = () => {}
    socket.on('data', listener).off('data', listener)
    socket.push = (chunk) => this.#take(chunk)
    socket._read = (size) => {
      // Otherwise each request that leaves the gate would bring in another 64 KiB.
      if (this.#held.length > 0) this.#wanted = size
      else this.#read(size)
    }
  }

  /** Notes a request of which the parser has read the head. */
  note(request: IncomingMessage): void {
    this.#latest = request
  }

  close(): void {
    this.#isClosed = true
  }

  open(): void {
    if (!this.#isClosed) return
    this.#isClosed = false
    this.#deliver()
  }

  /** Drops what is held and all that will arrive: none of it can be parsed. */
  discard(): void {
    this.#isDiscarding = true
    this.#isClosed = false
    this.#deliver()
  }

  #take(chunk: Buffer | null): boolean {
    if (chunk === null || this.#held.length > 0 || !this.#isFlowing()) {
      this.#held.push(chunk)
      return this.#deliver()
    }
    // As `push` would, which also looks for more in a turn of its own, for each request.
    this.#socket.emit('data', this.#cut(chunk))
    return this.#held.length > 0 ? this.#deliver() : true
  }

  /** Whether the parser gets at once what the stream gets. */
  #isFlowing(): boolean {
    const { readableFlowing, readableLength, writableEnded } = this.#socket
    const isOpen = !this.#isClosed && !this.#isDiscarding && !writableEnded
    return isOpen && readableFlowing === true && readableLength === 0
  }

  #deliver(): boolean {
    let isMoreWanted = true
    while (!this.#isClosed) {
      const chunk = this.#held.shift()
      if (chunk === undefined) break
      // Read and dropped: closing a socket with unread data resets the connection, which destroys the last response.
      if (chunk !== null && (this.#isDiscarding || this.#socket.writableEnded)) continue
      isMoreWanted = this.#push(chunk === null ? null : this.#cut(chunk))
    }
    if (this.#held.length > 0) return false
    this.#readOn()
    return isMoreWanted
  }

  /** Returns the next piece of the chunk, and holds the rest. */
  #cut(chunk: Buffer): Buffer {
    const length = this.#nextPiece(chunk)
    if (length === chunk.length) return chunk
    this.#held.unshift(chunk.subarray(length))
    return chunk.subarray(0, length)
  }

  #readOn(): void {
    if (this.#wanted === undefined) return
    const size = this.#wanted
    this.#wanted = undefined
    this.#read(size)
  }

  /** How many bytes of the chunk are the next piece. */
  #nextPiece(chunk: Buffer): number {
    if (this.#latest !== undefined) {
      this.#bodyLeft = this.#latest.complete ? 0 : fixedLength(this.#latest)
      this.#latest = undefined
    }
    if (this.#bodyLeft > 0) {
      const length = Math.min(this.#bodyLeft, chunk.length)
      this.#bodyLeft -= length
      return length
    }
    const end = endOfHead(this.#tail, chunk)
    this.#tail = end === -1 ? (this.#tail + chunk.subarray(-3).toString('latin1')).slice(-3) : ''
    return end === -1 ? chunk.length : end
  }
}

/** Where the first head in the chunk ends, or -1. */
function endOfHead(tail: string, chunk: Buffer): number {
  if (tail !== '') {
    const split = (tail + chunk.subarray(0, 3).toString('latin1')).indexOf('\r\n\r\n')
    if (split !== -1) return split + END_OF_HEAD.length - tail.length
  }
  const at = chunk.indexOf(END_OF_HEAD)
  return at === -1 ? -1 : at + END_OF_HEAD.length
}

/** The bytes of a body of known length; 0 for a chunked body, which the parser has to end. */
function fixedLength({ headers }: IncomingMessage): number {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : 0
}
