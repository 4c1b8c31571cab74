import { subscribe } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { UploadSession } from '../contract/upload-session.ts'

/** What to abort when a request's response has been sent or its connection has gone. */
const pending = new WeakMap<object, { readonly sessions: UploadSession[]; readonly release: () => void }>()
let subscribed = false

/** Aborts the session, unless it is committed by then, when the response to its request ends. */
export function abortWithResponse(request: IncomingMessage, session: UploadSession): void {
  subscribeOnce()
  const known = pending.get(request)
  if (known !== undefined) {
    known.sessions.push(session)
    return
  }
  const sessions = [session]
  const connection = clientConnection(request)
  const release = () => {
    connection?.off('close', release)
    pending.delete(request)
    for (const each of sessions) each.abort().catch(() => {})
  }
  pending.set(request, { sessions, release })
  connection?.once('close', release)
  if (connection?.destroyed === true) release()
}

/** multer gives engines only the request, so one process-wide subscription learns when responses finish. */
function subscribeOnce(): void {
  if (subscribed) return
  subscribed = true
  subscribe('http.server.response.finish', (message) => {
    if (typeof message !== 'object' || message === null || !('request' in message)) return
    if (typeof message.request === 'object' && message.request !== null)
      pending.get(message.request)?.release()
  })
}

/**
 * Returns the stream of an HTTP/2 request, and the socket of any other. Returns `null` if a request has neither: tests and
 * serverless adapters pass requests that no server of Node has made.
 */
export function clientConnection(request: IncomingMessage & { readonly stream?: Duplex }): Duplex | null {
  const connection: unknown = request.stream ?? request.socket
  return connection instanceof EventEmitter ? (connection as Duplex) : null
}
