import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP line to a server that may fail as lines do. */
export class Line {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Those to the server. */
  readonly #far = new Set<Socket>()
  #state: 'whole' | 'cut' | 'silent' = 'whole'

  private constructor(port: number) {
    this.#server = createServer((near) => {
      this.#keep(near)
      if (this.#state === 'cut') near.destroy()
      if (this.#state !== 'whole') return
      const far = this.#keep(connect(port, '127.0.0.1'))
      this.#far.add(far)
      near.pipe(far).pipe(near)
      near.on('close', () => far.destroy())
      far.on('close', () => {
        this.#far.delete(far)
        near.destroy()
      })
    })
  }

  static async to(port: number): Promise<Line> {
    const line = new Line(port)
    line.#server.listen(0, '127.0.0.1')
    await once(line.#server, 'listening')
    return line
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Both ends are told. */
  cut(): void {
    this.#state = 'cut'
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Nobody is told: nothing gets through any more. */
  silence(): void {
    this.#state = 'silent'
    for (const socket of this.#sockets) socket.unpipe().pause()
  }

  /** The server hears everything, and nothing that it says gets through any more. */
  mute(): void {
    for (const socket of this.#far) socket.unpipe().pause()
  }

  /** For what is sent from now on. */
  mend(): void {
    this.#state = 'whole'
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
    return socket
  }
}
