import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/**
 * What goes wrong with a request: the store never hears of it; or does as it is told, and its answer is lost; or refuses it
 * as AWS does, and Ceph does not: while another one for the same object is under way (409), or as DELETE has a condition (412).
 */
export type Loss = 'request' | 'answer' | 'conflict' | 'condition'

interface Expected {
  readonly loss: Loss
  readonly pattern: RegExp
  readonly meanwhile: () => Promise<unknown>
  left: number
}

const REFUSALS = {
  conflict: 'HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n',
  condition: 'HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n',
}

/** A line to the store on which chosen requests go wrong. */
export class LossyLine {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #expected: Expected[] = []

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
   * Has requests go wrong whose first line is like that.
   *
   * @param meanwhile happens when the first of them has, before who sent it is told
   */
  lose(loss: Loss, pattern: RegExp, meanwhile: () => Promise<unknown> = async () => {}, left = 1): void {
    this.#expected.push({ loss, pattern, meanwhile, left })
  }

  /** Nothing goes wrong any more. */
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
        current = this.#take(line)
        if (current !== undefined && current.loss !== 'answer') void fail(near, current)
      }
      if (current === undefined || current.loss === 'answer') far.write(chunk)
    })
    far.on('data', (chunk) => {
      if (current === undefined) near.write(chunk)
      else void fail(near, current)
    })
  }

  #take(line: string): Expected | undefined {
    const found = this.#expected.find(({ pattern, left }) => left > 0 && pattern.test(line))
    if (found !== undefined) found.left--
    return found
  }
}

async function fail(near: Socket, { loss, meanwhile }: Expected): Promise<void> {
  await meanwhile()
  if (loss === 'request' || loss === 'answer') near.destroy()
  else near.write(REFUSALS[loss])
}
