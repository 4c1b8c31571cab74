import type { IncomingMessage, ServerResponse } from 'node:http'
import { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Handler } from '../http/expect-continue.ts'
import { findGate } from './request-gate.ts'

type Exchange = readonly [IncomingMessage, ServerResponse]

/** A connection with a request that has begun. */
interface Busy {
  /** The response in progress; `null` once it has been sent. */
  current: ServerResponse | null
  readonly waiting: Exchange[]
}

/** Requests of one connection that wait for the response before them. */
const MAX_WAITING = 16

const connections = new WeakMap<Duplex, Busy>()

/** Returns the responses of a connection that are not sent yet, in their order. */
export function unansweredResponses(socket: Duplex): readonly ServerResponse[] {
  const busy = connections.get(socket)
  if (busy === undefined) return []
  const waiting = busy.waiting.map(([, response]) => response)
  return busy.current === null ? waiting : [busy.current, ...waiting]
}

/**
 * Starts each request of an HTTP/1 connection when the response before it has been sent. Node emits all pipelined requests
 * at once: 3,000 in one packet would open 3,000 files, and a DELETE would overtake the PUT before it (RFC 9112 §9.3.2).
 */
export function inOrder(handler: Handler): Handler {
  function start(socket: Duplex, busy: Busy, [request, response]: Exchange): void {
    busy.current = response
    response.once('close', () => {
      busy.current = null
      // The gate is open then, because only a full queue closes it.
      if (busy.waiting.length === 0) connections.delete(socket)
      // In a turn of its own, so that other connections get theirs.
      else setImmediate(next, socket, busy)
    })
    handler(request, response)
  }

  function next(socket: Duplex, busy: Busy): void {
    // After `Connection: close` no further request may be processed (RFC 9112 §9.6).
    const exchange = socket.destroyed || socket.writableEnded ? undefined : busy.waiting.shift()
    if (exchange === undefined) connections.delete(socket)
    else start(socket, busy, exchange)
    if (busy.waiting.length < MAX_WAITING) findGate(socket)?.open()
  }

  return (request, response) => {
    // The streams of HTTP/2 have no order.
    if (request instanceof Http2ServerRequest || response instanceof Http2ServerResponse) {
      handler(request, response)
      return
    }
    const { socket } = request
    const gate = findGate(socket)
    gate?.note(request)
    const busy = connections.get(socket)
    if (busy === undefined) {
      const first: Busy = { current: null, waiting: [] }
      connections.set(socket, first)
      start(socket, first, [request, response])
      return
    }
    busy.waiting.push([request, response])
    if (busy.waiting.length >= MAX_WAITING) gate?.close()
  }
}
