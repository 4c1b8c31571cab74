import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type Answer, parseAnswers } from './answer.ts'
import type { Step } from './case.ts'

/** A client that does as it is told, byte by byte, and keeps what comes back. */
export class Connection {
  readonly #socket: Socket
  readonly #head: boolean
  #received: Buffer[] = []
  #ended = false
  #left = false
  #wake = () => {}

  private constructor(socket: Socket, head: boolean) {
    this.#socket = socket
    this.#head = head
    // A server that hangs up while we send: what counts is what it said before.
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      this.#received.push(chunk)
      this.#wake()
    })
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#ended = true
        this.#wake()
      })
    }
  }

  /** @param head the first request is a HEAD */
  static async open(url: string, head = false): Promise<Connection> {
    const { hostname, port } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true })
    await once(socket, 'connect')
    return new Connection(socket, head)
  }

  async take(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (step === 'stop reading') this.#socket.pause()
      else if (typeof step === 'string') this.#socket.write(step, 'latin1')
      else if (Buffer.isBuffer(step)) this.#socket.write(step)
      else if ('pause' in step) await delay(step.pause)
      else await this.#leave(step.leave)
    }
  }

  async #leave(how: 'close' | 'half' | 'reset'): Promise<void> {
    this.#left = true
    if (how === 'reset') this.#socket.resetAndDestroy()
    else if (how === 'close') this.#socket.destroySoon()
    else this.#socket.end()
    if (how !== 'half' && !this.#socket.closed) await once(this.#socket, 'close')
  }

  /** Whether the client sends no more. */
  get left(): boolean {
    return this.#left
  }

  get ended(): boolean {
    return this.#ended
  }

  /** All answers so far, interim ones too. */
  answers(): readonly Answer[] {
    const bytes = Buffer.concat(this.#received)
    this.#received = [bytes]
    return parseAnswers(bytes, this.#ended, this.#head).answers
  }

  /** Bytes that belong to no complete answer. */
  rest(): Buffer {
    return parseAnswers(Buffer.concat(this.#received), this.#ended, this.#head).rest
  }

  /**
   * Waits for so many final answers, or the end of the connection.
   *
   * @param timeout ms
   * @returns whether either came in time
   */
  async until(count: number, timeout: number): Promise<boolean> {
    const deadline = performance.now() + timeout
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      if (this.#ended || this.answers().filter(({ status }) => status >= 200).length >= count) return true
      const left = deadline - performance.now()
      if (left <= 0) return false
      const timer = new AbortController()
      await Promise.race([woken, delay(left, undefined, { signal: timer.signal }).catch(() => {})])
      timer.abort()
    }
  }

  close(): void {
    this.#socket.destroy()
  }
}
