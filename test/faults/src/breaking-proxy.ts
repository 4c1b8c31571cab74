import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Break, BreakKind } from './breaks.ts'

/** Only the request that joins the parts has this field. tus-js-client writes a whole header section at once. */
const FINAL = /^upload-concat: *final/im

export interface BreakingProxyOptions {
  /** Port of the server on 127.0.0.1. */
  readonly port: number
  /** In the order of `at`, the bytes that all clients together have sent by then. */
  readonly breaks: readonly Break[]
  /** Called for a break of the kind `kill`. */
  readonly kill: () => void
  readonly onProgress: (text: string) => void
}

/**
 * Passes on connections to a server, and breaks them: as often as planned while content is sent, and once for each kind in
 * place of the response to the request that joins the parts of an upload.
 */
export class BreakingProxy {
  readonly #options: BreakingProxyOptions
  readonly #left: Break[]
  /** Whose break the response to the final request has still to meet. */
  readonly #lostFinals: BreakKind[] = ['drop', 'kill']
  readonly #server: Server
  readonly done: Record<BreakKind, number> = { kill: 0, drop: 0 }
  /** Bytes from clients, with header sections. */
  sent = 0

  constructor(options: BreakingProxyOptions) {
    this.#options = options
    this.#left = [...options.breaks]
    this.#server = createServer((client) => this.#pass(client))
  }

  /** Resolves to the proxy's address. */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.close()
    await once(this.#server, 'close')
  }

  #pass(client: Socket): void {
    const server = connect(this.#options.port, '127.0.0.1')
    let isFinal = false
    client.on('data', (bytes) => {
      this.sent += bytes.length
      isFinal ||= FINAL.test(bytes.toString('latin1', 0, 4096))
      const next = this.#left[0]
      if (next === undefined || this.sent < next.at) return
      this.#left.shift()
      this.#break(next.kind, client)
    })
    // A connection has had other responses before that of the final request.
    server.on('data', () => {
      const kind = isFinal ? this.#lostFinals.shift() : undefined
      if (kind === undefined) return
      this.#break(kind, client)
      client.destroy()
    })
    // In this order: the response of a final request must not reach the client.
    client.pipe(server).pipe(client)
    // A broken connection is what this class is for. The client reports the ones that it minds.
    client.on('error', () => {}).on('close', () => server.destroy())
    server.on('error', () => {}).on('close', () => client.destroy())
  }

  #break(kind: BreakKind, client: Socket): void {
    const number = ++this.done[kind]
    this.#options.onProgress(`${kind} ${number} after ${this.sent} bytes`)
    if (kind === 'kill') this.#options.kill()
    else client.destroy()
  }
}
