import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type ByteSource, type Response, readContent, readHead } from './response.ts'
import { Violation } from './violation.ts'

/** How long one connection may last, whatever happens on it. */
const LIFETIME = 10_000

/**
 * One connection to a server, byte by byte: sends what it is given, and takes no more from the socket than it is asked
 * for, so that whoever stops asking is a slow client.
 */
export class Wire implements ByteSource {
  readonly #socket: Socket
  readonly #chunks: AsyncIterator<Buffer>
  readonly #timer: NodeJS.Timeout
  #buffer: Buffer = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.#socket = socket
    // An error before anybody reads would be nobody's: the iterator throws it again.
    socket.on('error', () => {})
    this.#chunks = socket[Symbol.asyncIterator]()
    this.#timer = setTimeout(() => this.#expire(), LIFETIME)
  }

  static async open({ protocol, hostname, port }: URL): Promise<Wire> {
    const plain = connect({ host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true })
    await once(plain, 'connect')
    if (protocol === 'http:') return new Wire(plain)
    const socket = connectTls({ socket: plain, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
    await once(socket, 'secureConnect')
    return new Wire(socket)
  }

  #expire(): void {
    this.#socket.destroy(new Violation(`no end of the response within ${LIFETIME / 1000} s`))
  }

  /** One character is one byte. */
  send(text: string): void {
    this.#socket.write(text, 'latin1')
  }

  /**
   * Reads the response to a request that was sent.
   *
   * @param limit bytes of content after which to stop; the connection is of no use then
   * @throws Violation when what comes is no HTTP/1.1 response
   */
  async response(method: string, limit = Number.POSITIVE_INFINITY): Promise<Response> {
    const asked = performance.now()
    const head = await readHead(this)
    const content = await readContent(this, head, method, limit)
    return { ...head, ...content, milliseconds: performance.now() - asked }
  }

  /** Waits for the first bytes of an answer, and takes none. */
  async begin(): Promise<void> {
    if (this.#buffer.length === 0) await this.#more()
  }

  async through(mark: string, atMost: number): Promise<Buffer | null> {
    for (;;) {
      const at = this.#buffer.indexOf(mark, 0, 'latin1')
      if (at >= 0) return this.#take(at + mark.length)
      if (this.#buffer.length > atMost) throw new Violation(`no ${JSON.stringify(mark)} in ${atMost} bytes`)
      if (!(await this.#more())) return null
    }
  }

  async bytes(count: number): Promise<Buffer> {
    const pieces = [this.#take(Math.min(count, this.#buffer.length))]
    let missing = count - (pieces[0]?.length ?? 0)
    while (missing > 0 && (await this.#more())) {
      const piece = this.#take(Math.min(missing, this.#buffer.length))
      pieces.push(piece)
      missing -= piece.length
    }
    return Buffer.concat(pieces)
  }

  /** How many bytes still come until the server closes. */
  async leftover(): Promise<number> {
    return (await this.bytes(Number.POSITIVE_INFINITY)).length
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#socket.destroy()
  }

  #take(count: number): Buffer {
    const taken = this.#buffer.subarray(0, count)
    this.#buffer = this.#buffer.subarray(count)
    return taken
  }

  async #more(): Promise<boolean> {
    try {
      const { done, value } = await this.#chunks.next()
      if (done === true) return false
      this.#buffer = this.#buffer.length === 0 ? value : Buffer.concat([this.#buffer, value])
      return true
    } catch (error) {
      if (error instanceof Violation) throw error
      // A reset ends the connection as a FIN does: what matters is whether the response was complete.
      return false
    }
  }
}
