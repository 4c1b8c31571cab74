import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import type { Server, Socket } from 'node:net'
import type { Logger } from 'pino'
import { createProblem, PROBLEM_TYPE } from '../http/problem.ts'
import { unansweredResponses } from './pipelining.ts'
import { findGate } from './request-gate.ts'

/** How long a client may take to read why its connection ends. */
const MAX_WAIT = 1000

const STATUS: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
}

const DETAILS: Readonly<Record<number, string>> = {
  400: 'The request is not valid HTTP/1.1.',
  408: 'The header section did not arrive in time. Retry the request.',
  413: 'The chunk extensions are longer than 16 KiB. Omit them.',
  431: 'The header section is larger than the limit of 16 KiB. Send fewer or shorter fields.',
  501: 'CONNECT is not supported by this server.',
}

/**
 * Answers requests that Node does not pass to the app with a problem: those that its parser cannot read, and CONNECT. The
 * responses that `inOrder` has not finished come first.
 */
export function answerClientErrors(server: Server, logger: Logger): void {
  const ending = new WeakSet<Socket>()

  /** Sends the responses before the one that ends the connection. */
  async function end(socket: Socket, status: number): Promise<void> {
    // What still arrives cannot be parsed, and must not destroy the response.
    findGate(socket)?.discard()
    if (ending.has(socket)) return
    ending.add(socket)
    const responses = unansweredResponses(socket)
    // Those before the broken one were understood, and get their answers first.
    if (socket.writable) await Promise.all(responses.filter(({ req }) => req.complete).map(waitForClose))
    const begun = responses.some(({ req, headersSent }) => !req.complete && headersSent)
    if (!socket.writable || begun) {
      socket.destroy()
      return
    }
    socket.end(render(status))
    // Closed at once, the kernel would answer what still arrives with a reset that destroys the answer.
    setTimeout(() => socket.destroy(), MAX_WAIT).unref()
  }

  server.on('clientError', (error: Error & { readonly code?: string }, socket: Socket) => {
    const { code = '' } = error
    // Not the error itself: it carries the packet, and with it whatever credentials the client sent.
    if (!ending.has(socket)) logger.debug({ code }, 'bad request')
    return end(socket, STATUS[code] ?? 400)
  })
  // Without a listener Node destroys the connection, and the responses to earlier requests with it.
  server.on('connect', (_request: IncomingMessage, target: Socket | Http2ServerResponse) => {
    if ('writeHead' in target) {
      target.writeHead(501).end()
      return
    }
    takeOver(target)
    void end(target, 501)
  })
}

/** Continues the responses in progress on a connection that Node has handed over with all of its listeners removed. */
function takeOver(socket: Socket): void {
  socket.on('error', () => socket.destroy())
  socket.on('drain', () => {
    for (const response of unansweredResponses(socket)) if (response.writableNeedDrain) response.emit('drain')
  })
  socket.resume()
}

async function waitForClose(response: ServerResponse): Promise<void> {
  // Not events.once: it rejects if the response fails first, and the unhandled rejection would end the process.
  if (!response.closed) await new Promise((resolve) => response.once('close', resolve))
}

function render(status: number): string {
  const body = JSON.stringify(createProblem(status, DETAILS[status]))
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Date: ${new Date().toUTCString()}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'X-Content-Type-Options: nosniff',
    'Connection: close',
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}
