import { Http2ServerRequest } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Handler } from '../http/expect-continue.ts'
import { findGate } from './request-gate.ts'

type Exchange = Parameters<Handler>

/** Requests of one connection that wait for the response before them. */
const MAX_WAITING = 16

/**
 * Starts each request of an HTTP/1 connection when the response before it has been sent. Node emits all pipelined requests
 * at once: 3,000 in one packet would open 3,000 files, and a DELETE would overtake the PUT before it (RFC 9112 §9.3.2).
 */
export function inOrder(handler: Handler): Handler {
  const waiting = new WeakMap<Duplex, Exchange[]>()

  function start(socket: Duplex, queue: readonly Exchange[], [request, response]: Exchange): void {
    response.once('close', () => {
      // The gate is open then, because only a full queue closes it.
      if (queue.length === 0) waiting.delete(socket)
      // In a turn of its own, so that other connections get theirs.
      else setImmediate(next, socket)
    })
    handler(request, response)
  }

  function next(socket: Duplex): void {
    const queue = waiting.get(socket)
    // After `Connection: close` no further request may be processed (RFC 9112 §9.6).
    const exchange = socket.destroyed || socket.writableEnded ? undefined : queue?.shift()
    if (exchange === undefined || queue === undefined) waiting.delete(socket)
    else start(socket, queue, exchange)
    if (queue !== undefined && queue.length < MAX_WAITING) findGate(socket)?.open()
  }

  return (request, response) => {
    // The streams of HTTP/2 have no order.
    if (request instanceof Http2ServerRequest) return handler(request, response)
    const { socket } = request
    const gate = findGate(socket)
    gate?.note(request)
    const queue = waiting.get(socket)
    if (queue === undefined) {
      const own: Exchange[] = []
      waiting.set(socket, own)
      start(socket, own, [request, response])
      return
    }
    queue.push([request, response])
    if (queue.length >= MAX_WAITING) gate?.close()
  }
}
