import type { IncomingMessage, ServerResponse } from 'node:http'
import { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Handler } from '../http/expect-continue.ts'
import { findGate, type RequestGate } from './request-gate.ts'

type Exchange = readonly [IncomingMessage, ServerResponse]

/** Requests of one connection that wait for the response before them. */
const MAX_WAITING = 16

/** An entry lasts as long as its connection: to set and delete one for each request would cost as much as a check of the guard. */
const sequences = new WeakMap<Duplex, Sequence>()

/** Returns the responses of a connection that are not sent yet, in their order. */
export function unansweredResponses(socket: Duplex): readonly ServerResponse[] {
  return sequences.get(socket)?.unanswered() ?? []
}

/**
 * Starts each request of an HTTP/1 connection when the response before it has been sent. Node emits all pipelined requests
 * at once: 3,000 in one packet would open 3,000 files, and a DELETE would overtake the PUT before it (RFC 9112 §9.3.2).
 */
export function inOrder(handler: Handler): Handler {
  return (request, response) => {
    // The streams of HTTP/2 have no order.
    if (request instanceof Http2ServerRequest || response instanceof Http2ServerResponse) {
      handler(request, response)
      return
    }
    const { socket } = request
    const known = sequences.get(socket)
    const sequence = known ?? new Sequence(socket, handler)
    if (known === undefined) sequences.set(socket, sequence)
    sequence.add(request, response)
  }
}

/** The requests of a connection, one after the other. */
class Sequence {
  readonly #socket: Duplex
  readonly #gate: RequestGate | undefined
  readonly #handler: Handler
  /** The response in progress; `null` once it has been sent. */
  #current: ServerResponse | null = null
  /** Whether a request is in progress, or the next one has a turn of its own. */
  #isBusy = false
  readonly #waiting: Exchange[] = []

  constructor(socket: Duplex, handler: Handler) {
    this.#socket = socket
    this.#gate = findGate(socket)
    this.#handler = handler
  }

  unanswered(): readonly ServerResponse[] {
    const waiting = this.#waiting.map(([, response]) => response)
    return this.#current === null ? waiting : [this.#current, ...waiting]
  }

  add(request: IncomingMessage, response: ServerResponse): void {
    this.#gate?.note(request)
    if (!this.#isBusy) {
      this.#isBusy = true
      this.#start(request, response)
      return
    }
    this.#waiting.push([request, response])
    if (this.#waiting.length >= MAX_WAITING) this.#gate?.close()
  }

  #start(request: IncomingMessage, response: ServerResponse): void {
    this.#current = response
    // A response is closed once, and `once` takes longer than `on`.
    response.on('close', this.#end)
    this.#handler(request, response)
  }

  /** One function for all requests of the connection. */
  readonly #end = (): void => {
    this.#current = null
    // The gate is open then, because only a full queue closes it.
    if (this.#waiting.length === 0) this.#isBusy = false
    // In a turn of its own, so that other connections get theirs.
    else setImmediate(this.#next)
  }

  readonly #next = (): void => {
    // After `Connection: close` no further request may be processed (RFC 9112 §9.6): the connection stays busy.
    const isOver = this.#socket.destroyed || this.#socket.writableEnded
    const exchange = isOver ? undefined : this.#waiting.shift()
    if (exchange === undefined) {
      this.#waiting.length = 0
      return
    }
    this.#start(...exchange)
    if (this.#waiting.length < MAX_WAITING) this.#gate?.open()
  }
}
