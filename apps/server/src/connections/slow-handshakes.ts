import type { Server, Socket } from 'node:net'

/**
 * Destroys connections whose TLS handshake takes longer than `timeout` ms. Node's handshakeTimeout starts again with each
 * byte that arrives.
 */
export function endSlowHandshakes(server: Server, timeout: number): void {
  const timers = new Map<string, NodeJS.Timeout>()
  server.on('connection', (socket: Socket) => {
    const peers = connectionKey(socket)
    const timer = setTimeout(() => socket.destroy(), timeout).unref()
    timers.set(peers, timer)
    socket.once('close', () => {
      clearTimeout(timer)
      if (timers.get(peers) === timer) timers.delete(peers)
    })
  })
  server.on('secureConnection', (socket: Socket) => {
    const peers = connectionKey(socket)
    clearTimeout(timers.get(peers))
    timers.delete(peers)
  })
}

/** The same for a TLS socket and the one below it, which Node does not connect publicly. */
function connectionKey({ localAddress, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${remoteAddress} ${remotePort}`
}
