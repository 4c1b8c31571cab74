import type { Server, Socket } from 'node:net'

/** The connections that a server has now, and the bytes of all that it has ever had. */
export class Connections {
  readonly #open = new Set<Socket>()
  #received = 0
  #sent = 0

  constructor(server: Server) {
    server.on('connection', (socket) => {
      this.#open.add(socket)
      socket.once('close', () => {
        this.#open.delete(socket)
        this.#received += socket.bytesRead
        this.#sent += socket.bytesWritten
      })
    })
  }

  /** The open ones. */
  [Symbol.iterator](): Iterator<Socket> {
    return this.#open.values()
  }

  /** As they went over the network, TLS and all. */
  get received(): number {
    return this.#total(this.#received, 'bytesRead')
  }

  get sent(): number {
    return this.#total(this.#sent, 'bytesWritten')
  }

  /** Ends all of them, whatever they are doing. */
  destroy(): void {
    for (const socket of this.#open) socket.destroy()
  }

  /** Resolves when all that are open now have closed, and their responses have been logged. */
  async ended(): Promise<void> {
    await Promise.all(
      [...this.#open].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    )
  }

  #total(closed: number, count: 'bytesRead' | 'bytesWritten'): number {
    let total = closed
    for (const socket of this.#open) total += socket[count]
    return total
  }
}
