export const PROTOCOLS = ['HTTP/1.1', 'HTTP/2'] as const
export type Protocol = (typeof PROTOCOLS)[number]

/** By lower-case name; several lines are joined by a comma. */
export type Fields = Readonly<Record<string, string>>

export interface Request {
  readonly method: string
  readonly path: string
  /** Several values of one name go out as so many lines. */
  readonly fields?: Readonly<Record<string, string | readonly string[]>>
  /** All of the content; what `Client.open` begins goes on with `write` and `end` instead. */
  readonly body?: Uint8Array
  /**
   * What Content-Length says (the length of `body`, and without one that there is no content); `null`: content of a length
   * that nobody is told, which is the chunked coding in HTTP/1.1.
   */
  readonly announced?: number | null
}

export interface Interim {
  readonly status: number
  readonly fields: Fields
}

export interface Answer extends Interim {
  readonly body: Buffer
  /** What came before it, in order. */
  readonly interims: readonly Interim[]
}

/** One request of which the client has every byte in its hand. */
export interface Exchange {
  /** More of the content. */
  write(bytes: Uint8Array): void
  /** The content ends here. */
  end(): void
  /** Leaves in the middle: closes the connection (HTTP/1.1), resets the stream (HTTP/2). */
  cut(): void
  readonly interims: readonly Interim[]
  /** Resolves with the first interim response that is so, however early it came; `null` when none did. */
  interim(isIt: (interim: Interim) => boolean, patience?: number): Promise<Interim | null>
  /** The final response; `null` when the server, or we, ended it without a whole one. */
  readonly outcome: Promise<Answer | null>
}

export interface Client {
  readonly protocol: Protocol
  /** Begins a request: its fields, and nothing of its content. */
  open(request: Request): Exchange
  close(): void
}

/** The whole of a request; what the server says before it hangs up counts. */
export async function send(client: Client, request: Request): Promise<Answer> {
  const { body } = request
  const exchange = client.open(body === undefined ? request : { announced: body.length, ...request })
  if (body !== undefined) {
    exchange.write(body)
    exchange.end()
  }
  const answer = await exchange.outcome
  if (answer === null) throw new Error(`${request.method} ${request.path} was ended without an answer`)
  return answer
}

/** Keeps the interim responses of an exchange and wakes who waits for one. */
export class Interims {
  readonly list: Interim[] = []
  #wake: (() => void)[] = []

  add(interim: Interim): void {
    this.list.push(interim)
    this.over()
  }

  /** Nothing more will come. */
  over(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }

  async first(isIt: (interim: Interim) => boolean, until: Promise<unknown>, patience: number) {
    const deadline = Date.now() + patience
    const ended = until.then(() => true)
    for (;;) {
      const found = this.list.find(isIt)
      if (found !== undefined) return found
      const left = deadline - Date.now()
      if (left <= 0) return null
      if (await Promise.race([ended, this.#next(left)])) return this.list.find(isIt) ?? null
    }
  }

  #next(patience: number): Promise<false> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), patience)
      this.#wake.push(() => {
        clearTimeout(timer)
        resolve(false)
      })
    })
  }
}
