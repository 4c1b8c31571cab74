import { once } from 'node:events'
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Break, BreakKind } from './breaks.ts'
import type { Keystream } from './keystream.ts'

/** Of draft -13. */
const INTEROP_VERSION = '10'

/** In ms, between two tries to reach a server that does not listen yet. */
const REFUSED_DELAY = 20

/** How long nothing may come of a server, in ms. */
const PATIENCE = 60_000

/** After these a client that asks for the offset may go on. */
const RETRIABLE = [409, 503]

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface ResumingClientOptions {
  readonly url: string
  readonly content: Keystream
  /** Of the content, in bytes. */
  readonly size: number
  /** In the order of the content. */
  readonly breaks: readonly Break[]
  /** Called at a break of that kind; the client sees to the others itself. */
  readonly kill: () => void
  readonly onProgress: (text: string) => void
}

/** Uploads one content by Resumable Uploads for HTTP, through breaks, and notes what the server says. */
export class ResumingClient {
  readonly #options: ResumingClientOptions
  readonly #left: Break[]
  /** How often each answer and each failure of a connection came. */
  readonly met: Map<string, number> = new Map()
  readonly done: Record<BreakKind, number> = { kill: 0, drop: 0 }
  readonly faults: string[] = []
  /** Content that was sent behind the offset that the server told after that, in bytes: it has to be sent once more. */
  sentAgain = 0
  /** The most of that after one break. */
  mostSentAgain = 0
  /** The path of the upload. */
  location = ''
  /** The largest offset that the server has told. */
  #told = 0
  /** The end of what the last request has sent. */
  #sent = 0

  constructor(options: ResumingClientOptions) {
    this.#options = options
    this.#left = [...options.breaks]
  }

  /** Resolves to the body of the last answer. */
  async upload(): Promise<string> {
    await this.#create()
    // Each break takes one, and a refusal here and there another one.
    for (let left = 2 * this.#left.length + 10; left > 0; left--) {
      const answer = await this.#append(await this.#askOffset())
      if (answer === null) continue
      const { status, headers, body } = answer
      if (status === 201 && headers['upload-complete'] === '?1') return body
      if (!RETRIABLE.includes(status)) throw new Error(`PATCH was answered with ${status}: ${body}`)
    }
    throw new Error('the upload does not come to its end')
  }

  async #create(): Promise<void> {
    const answer = await this.#exchange('POST', '/video', {
      'Upload-Complete': '?0',
      'Upload-Length': this.#options.size,
      'Content-Disposition': 'attachment; filename="resumed.bin"',
      'Content-Length': 0,
    })
    if (answer?.status !== 201) throw new Error(`POST was answered with ${answer?.status}: ${answer?.body}`)
    this.location = answer.headers.location ?? ''
  }

  /** HEAD until there is an answer. */
  async #askOffset(): Promise<number> {
    const start = Date.now()
    for (;;) {
      const answer = await this.#exchange('HEAD', this.location)
      if (answer?.status === 204) {
        const offset = Number(answer.headers['upload-offset'])
        this.#note('HEAD', offset)
        this.#countAgain(offset)
        return offset
      }
      if (answer !== null && !RETRIABLE.includes(answer.status))
        throw new Error(`HEAD was answered with ${answer.status}`)
      if (Date.now() - start > PATIENCE) throw new Error(`No offset was told in ${PATIENCE / 1000} s.`)
      await delay(REFUSED_DELAY)
    }
  }

  #countAgain(offset: number): void {
    const again = Math.max(0, this.#sent - offset)
    this.sentAgain += again
    this.mostSentAgain = Math.max(this.mostSentAgain, again)
    this.#sent = offset
  }

  /** What comes before an offset that has been told, a client may have forgotten. */
  #note(source: string, offset: number): void {
    const { size } = this.#options
    if (!(offset >= this.#told && offset <= size))
      this.faults.push(`${source} told the offset ${offset} after ${this.#told}, of ${size} bytes`)
    this.#told = Math.max(this.#told, offset)
  }

  #append(offset: number): Promise<Answer | null> {
    const headers = {
      'Content-Type': 'application/partial-upload',
      'Content-Length': this.#options.size - offset,
      'Upload-Offset': offset,
      'Upload-Complete': '?1',
    }
    return this.#exchange('PATCH', this.location, headers, offset)
  }

  /** The content from `start` on, up to a break, and after it as long as the client has not noticed. */
  *#content(start: number, next: Break | undefined, outgoing: ClientRequest): Generator<Buffer> {
    const { size } = this.#options
    const end = Math.max(start, next?.at ?? size)
    yield* this.#sending(start, end)
    if (end < size) this.#break(next, outgoing)
    if (!outgoing.destroyed) yield* this.#sending(end, size)
  }

  *#sending(start: number, end: number): Generator<Buffer> {
    for (const chunk of this.#options.content.chunks(start, end)) {
      this.#sent += chunk.length
      yield chunk
    }
  }

  #break(next: Break | undefined, outgoing: ClientRequest): void {
    if (next === undefined) return
    this.#left.shift()
    const number = ++this.done[next.kind]
    this.#options.onProgress(`${next.kind} ${number} at ${next.at}; the last offset told was ${this.#told}`)
    if (next.kind === 'kill') this.#options.kill()
    else outgoing.destroy()
  }

  /** One request on a connection of its own; `null` where that broke before the answer was there. */
  async #exchange(
    method: string,
    path: string,
    fields: Readonly<Record<string, string | number>> = {},
    start?: number,
  ): Promise<Answer | null> {
    const headers = { ...fields, 'Upload-Draft-Interop-Version': INTEROP_VERSION }
    const outgoing = request(new URL(path, this.#options.url), { method, headers, agent: false })
    const answered = once(outgoing, 'response')
    outgoing.on('information', (information) => this.#hear(information.statusCode, information.headers))
    outgoing.setTimeout(PATIENCE, () => outgoing.destroy(new Error(`${method} met silence`)))
    const next = start === undefined ? undefined : this.#left[0]
    if (start === undefined) outgoing.end()
    // A failure is that of the answer, too.
    else pipeline(Readable.from(this.#content(start, next, outgoing)), outgoing).catch(() => {})
    try {
      const [response] = (await answered) as [IncomingMessage]
      const status = response.statusCode ?? 0
      this.#count(`${method} ${status}`)
      if (status === 201 && next?.at === this.#options.size) {
        this.#break(next, outgoing)
        return null
      }
      return { status, headers: response.headers, body: await text(response) }
    } catch (error) {
      this.#count(error instanceof Error && 'code' in error ? String(error.code) : String(error))
      return null
    }
  }

  #hear(status: number, headers: IncomingHttpHeaders): void {
    this.#count(String(status))
    if (headers['upload-offset'] !== undefined) this.#note('104', Number(headers['upload-offset']))
  }

  #count(what: string): void {
    this.met.set(what, (this.met.get(what) ?? 0) + 1)
  }
}
