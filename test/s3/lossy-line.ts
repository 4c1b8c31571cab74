import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Replaces the answer of S3: by this text, or by what the function makes of S3's own, whose body has a Content-Length. */
export interface Reply {
  readonly reply: string | ((answer: string) => string)
}

/**
 * What goes wrong with a request. `request`: S3 never gets it. `answer`: S3 gets it, and the answer is lost. `silence`: S3
 * never gets it, and the connection stays open. `conflict` and `condition`: it is refused as AWS does and Ceph does not,
 * while another request for the object is under way (409), and a DELETE with a condition (412).
 */
export type Loss = 'request' | 'answer' | 'silence' | 'conflict' | 'condition' | Reply

interface Expected {
  readonly loss: Loss
  readonly pattern: RegExp
  readonly meanwhile: () => Promise<unknown>
  left: number
}

const refusal = (status: string, code: string) =>
  answerOf(status, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code></Error>`, {
    'Content-Type': 'application/xml',
  })

const REFUSALS = {
  conflict: { reply: refusal('409 Conflict', 'ConditionalRequestConflict') },
  condition: { reply: refusal('412 Precondition Failed', 'PreconditionFailed') },
}

/** An HTTP response as text. */
export function answerOf(status: string, body: string, fields: Record<string, string> = {}): string {
  const length = Buffer.byteLength(body)
  const lines = Object.entries({ 'Content-Length': `${length}`, ...fields }).map((field) => field.join(': '))
  return [`HTTP/1.1 ${status}`, ...lines, '', body].join('\r\n')
}

const CUT_OFF = answerOf('503 Service Unavailable', '', { 'Retry-After': '99' })

/** A line to S3 on which chosen requests go wrong. */
export class LossyLine {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #expected: Expected[] = []
  /** How many more requests S3 gets. */
  #left = Number.POSITIVE_INFINITY
  /** The request lines that came, for example `GET /tests/a HTTP/1.1`. */
  readonly requests: string[] = []

  private constructor(port: number) {
    this.#server = createServer((near) => this.#join(near, connect(port, '127.0.0.1')))
  }

  static async to(endpoint: string): Promise<LossyLine> {
    const line = new LossyLine(Number(new URL(endpoint).port))
    line.#server.listen(0, '127.0.0.1')
    await once(line.#server, 'listening')
    return line
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /**
   * Makes requests go wrong whose request line matches.
   *
   * @param meanwhile is called when the first of them has, before the client gets to know it
   */
  lose(loss: Loss, pattern: RegExp, meanwhile: () => Promise<unknown> = async () => {}, left = 1): void {
    this.#expected.push({ loss, pattern, meanwhile, left })
  }

  /** Replaces the answers to all requests whose request line matches. */
  answer(pattern: RegExp, reply: Reply['reply']): void {
    this.lose({ reply }, pattern, undefined, Number.POSITIVE_INFINITY)
  }

  /**
   * Cuts the store off from S3, as the end of its process does: S3 gets `count` more requests, and the answer to the last
   * of them is lost. The store gives up at once, because of `Retry-After`.
   */
  cutAfter(count: number): void {
    this.#left = count
  }

  /** Lets all requests pass from now on. */
  mend(): void {
    this.#expected = []
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(near: Socket, far: Socket): void {
    let current: Expected | undefined
    let received = ''
    let isHead = false
    for (const socket of [near, far]) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    near.on('data', (chunk) => {
      const [, line] = /^([A-Z]+ \S+ HTTP\/1\.1)\r\n/.exec(chunk.toString('latin1')) ?? []
      if (line !== undefined) {
        this.requests.push(line)
        current = this.#take(line)
        received = ''
        isHead = line.startsWith('HEAD ')
        if (current !== undefined && !isForwarded(current.loss)) void fail(near, current)
      }
      if (current === undefined || isForwarded(current.loss)) far.write(chunk)
    })
    far.on('data', (chunk) => {
      if (current === undefined) return void near.write(chunk)
      received += chunk.toString('latin1')
      const answer = current.loss === 'answer' || isHead ? received : wholeAnswer(received)
      if (answer !== null) void fail(near, current, answer)
    })
  }

  #take(line: string): Expected | undefined {
    if (this.#left <= 1) {
      const reply = this.#left === 1 ? () => CUT_OFF : CUT_OFF
      this.#left = 0
      return { loss: { reply }, pattern: /./, meanwhile: async () => {}, left: 0 }
    }
    this.#left--
    const found = this.#expected.find(({ pattern, left }) => left > 0 && pattern.test(line))
    if (found !== undefined) found.left--
    return found
  }
}

/** Whether S3 gets the request. */
function isForwarded(loss: Loss): boolean {
  return loss === 'answer' || (typeof loss === 'object' && typeof loss.reply === 'function')
}

/** An answer of S3's with its body as one piece, or `null` while more of it is to come. */
function wholeAnswer(received: string): string | null {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return null
  const head = received.slice(0, end)
  const body = received.slice(end + 4)
  const length = /^Content-Length: (\d+)$/im.exec(head)?.[1]
  if (length !== undefined) return body.length < Number(length) ? null : received
  if (!/^Transfer-Encoding: chunked$/im.test(head) || !body.endsWith('0\r\n\r\n')) return null
  const joined = body.replace(/[0-9a-f]+\r\n([\s\S]*?)\r\n(?=[0-9a-f]+\r\n)|0\r\n\r\n$/gi, '$1')
  return `${head.replace(/^Transfer-Encoding: chunked$/im, `Content-Length: ${joined.length}`)}\r\n\r\n${joined}`
}

async function fail(near: Socket, { loss, meanwhile }: Expected, answer = ''): Promise<void> {
  await meanwhile()
  if (loss === 'silence') return
  if (loss === 'request' || loss === 'answer') near.destroy()
  else {
    const { reply } = typeof loss === 'object' ? loss : REFUSALS[loss]
    near.write(typeof reply === 'string' ? reply : reply(answer), 'latin1')
  }
}
