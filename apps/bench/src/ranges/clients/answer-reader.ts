const HEAD_END = Buffer.from('\r\n\r\n')

/** Finds the end of each answer on a connection; `node:http` takes ten times as long for that. */
export class AnswerReader {
  readonly #hasBody: boolean
  readonly #onAnswer: () => void
  /** Of a head that is not complete yet. */
  #head: Buffer = Buffer.alloc(0)
  /** Bytes of body that are still to come. */
  #left = 0

  constructor(method: 'GET' | 'HEAD', onAnswer: () => void) {
    this.#hasBody = method === 'GET'
    this.#onAnswer = onAnswer
  }

  /** @throws Error for a status of 400 or more, and for a body without Content-Length */
  take(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0) {
      rest = this.#left > 0 ? this.#takeBody(rest) : this.#takeHead(rest)
    }
  }

  #takeBody(chunk: Buffer): Buffer {
    const length = Math.min(this.#left, chunk.length)
    this.#left -= length
    if (this.#left === 0) this.#onAnswer()
    return chunk.subarray(length)
  }

  #takeHead(chunk: Buffer): Buffer {
    const bytes = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk])
    const end = bytes.indexOf(HEAD_END)
    if (end === -1) {
      this.#head = bytes
      return Buffer.alloc(0)
    }
    this.#head = Buffer.alloc(0)
    this.#left = this.#hasBody ? bodyLength(bytes.toString('latin1', 0, end)) : 0
    if (this.#left === 0) this.#onAnswer()
    return bytes.subarray(end + HEAD_END.length)
  }
}

function bodyLength(head: string): number {
  const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(head) ?? []
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? []
  if (status === undefined || Number(status) >= 400 || length === undefined) {
    throw new Error(`An answer that cannot be counted: ${head}`)
  }
  return Number(length)
}
