import { connect, type Socket } from 'node:net'

export interface Source {
  readonly port: number
  readonly path: string
  /** Bytes of the file. */
  readonly size: number
  readonly read: (start: number, length: number) => Buffer
}

const HEAD_END = '\r\n\r\n'

/** A client that asks for a file from some position on and takes only as many bytes as it is allowed. */
export class SlowReader {
  /** Bytes of the file that came, and were right. */
  received = 0
  /** How often it was allowed more before it had got what it was allowed the last time. */
  late = 0
  /** What went wrong, if anything did. */
  fault: string | null = null
  /** Resolves with the head of the answer, also when there is to be none. */
  readonly started: Promise<void>
  readonly #socket: Socket
  readonly #source: Source
  readonly #start: number
  #head: Buffer | null = Buffer.alloc(0)
  #allowed = 0
  #onStart: () => void = () => undefined

  constructor(source: Source, start: number) {
    this.#source = source
    this.#start = start
    this.started = new Promise((resolve) => {
      this.#onStart = resolve
    })
    this.#socket = connect(source.port, '127.0.0.1')
    this.#socket.write(
      `GET ${source.path} HTTP/1.1\r\nHost: 127.0.0.1:${source.port}\r\nRange: bytes=${start}-\r\n\r\n`,
    )
    this.#socket.on('data', (chunk) => this.#take(chunk))
    this.#socket.once('error', (error) => this.#fail(String(error)))
    this.#socket.once('end', () => this.#fail('the connection was closed'))
  }

  /** Lets it take more: a little more than that, as the kernel hands it out by the chunk, and less the next time. */
  allow(bytes: number): void {
    if (this.#allowed > 0) this.late++
    this.#allowed += bytes
    if (this.#allowed > 0) this.#socket.resume()
  }

  stop(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    const body = this.#head === null ? chunk : this.#takeHead(Buffer.concat([this.#head, chunk]))
    this.#check(body)
    this.#allowed -= body.length
    if (this.#head === null && this.#allowed <= 0) this.#socket.pause()
  }

  #takeHead(bytes: Buffer): Buffer {
    const end = bytes.indexOf(HEAD_END)
    this.#head = end === -1 ? bytes : null
    if (end === -1) return bytes.subarray(bytes.length)
    const { size } = this.#source
    const head = bytes.toString('latin1', 0, end)
    const isRight = /^HTTP\/1\.1 206 /.test(head) && head.includes(`bytes ${this.#start}-${size - 1}/${size}`)
    if (!isRight) this.#fail(`answered ${head}`)
    this.#onStart()
    return bytes.subarray(end + HEAD_END.length)
  }

  #check(body: Buffer): void {
    if (body.equals(this.#source.read(this.#start + this.received, body.length))) this.received += body.length
    else this.#fail(`wrong bytes between ${this.received} and ${this.received + body.length}`)
  }

  #fail(fault: string): void {
    this.fault ??= fault
    this.#socket.destroy()
    this.#onStart()
  }
}
