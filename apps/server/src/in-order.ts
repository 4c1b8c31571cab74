import type { Duplex } from 'node:stream'
import type { Handler } from './http-server.ts'

type Exchange = Parameters<Handler>

/**
 * Starts a request only when the answer before it on its connection is out. Node starts all that a client has pipelined at
 * once: 3,000 in one packet would open 3,000 files, and a DELETE would overtake the PUT before it (RFC 9112 §9.3.2).
 */
export function inOrder(handler: Handler): Handler {
  const waiting = new WeakMap<Duplex, Exchange[]>()

  function start(socket: Duplex, [request, response]: Exchange): void {
    // In a turn of its own: others wait for theirs.
    response.once('close', () => setImmediate(next, socket))
    handler(request, response)
  }

  function next(socket: Duplex): void {
    const exchange = waiting.get(socket)?.shift()
    if (exchange === undefined || socket.destroyed) waiting.delete(socket)
    else start(socket, exchange)
  }

  return (request, response) => {
    // HTTP/2 has streams, and no order among them.
    if (request.httpVersionMajor >= 2) return handler(request, response)
    const queue = waiting.get(request.socket)
    if (queue !== undefined) {
      queue.push([request, response])
      return
    }
    waiting.set(request.socket, [])
    start(request.socket, [request, response])
  }
}
