import { createServer, type Server } from 'node:http'
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2'
import type { Handler } from '../http/expect-continue.ts'
import { endHalfFrames } from './half-frames.ts'
import { gateRequests } from './request-gate.ts'
import { SlicedResponse } from './sliced-response.ts'
import { endSlowHandshakes } from './slow-handshakes.ts'
import { endStalledStreams } from './stalled-streams.ts'
import type { Certificate } from './tls.ts'

/** How long a connection waits for its next request. */
const KEEP_ALIVE = {
  /** Longer than the 60 or 75 s for which proxies keep one to us, which they would use as we close it. */
  proxy: 80_000,
  /** Many more come from browsers, and one that a phone has lost on its way is better not used again. */
  client: 5000,
}

const HTTP2_IDLE = 80_000

const FRAME_TIMEOUT = 15_000

const HTTP2 = { maxConcurrentStreams: 100, maxHeaderListSize: 16 * 1024 }

/** How long a client has to close its side of a TLS connection after the server's. */
const CLOSING = 1000

export interface PeerLimits {
  /** How long a client may take nothing of a response, in ms. */
  readonly stallTimeout: number
  /** How long a client may take to send a frame or a header section, in ms (15,000). */
  readonly frameTimeout?: number
}

/** Creates a server of HTTP/1, or with a certificate of HTTP/2 and HTTP/1 over TLS. */
export function createHttpServer(
  certificate: Certificate | null,
  trustProxy: boolean,
  { stallTimeout, frameTimeout = FRAME_TIMEOUT }: PeerLimits,
  handler: Handler,
): Server | Http2SecureServer {
  const timeouts = {
    // Node's would end every upload after 5 minutes; the pace of a body is watched instead.
    requestTimeout: 0,
    // From a request's first byte on, so that it does not end connections that wait for one.
    headersTimeout: frameTimeout,
    connectionsCheckingInterval: Math.ceil(frameTimeout / 3),
    keepAliveTimeout: trustProxy ? KEEP_ALIVE.proxy : KEEP_ALIVE.client,
  }
  if (certificate === null) {
    const server = createServer(timeouts, handler)
    // Otherwise a client that ends its side after its requests gets no response to those in progress.
    Object.assign(server, { httpAllowHalfOpen: true })
    gateRequests(server)
    return server
  }
  const server = createSecureServer(
    {
      ...certificate,
      allowHTTP1: true,
      settings: HTTP2,
      Http2ServerResponse: SlicedResponse,
    },
    handler,
  )
  // Node takes them as options for HTTP/1 alone.
  Object.assign(server, timeouts)
  gateRequests(server)
  endSlowHandshakes(server, frameTimeout)
  endHalfFrames(server, frameTimeout)
  endStalledStreams(server, stallTimeout)
  server.on('session', (session) => {
    // Closed, it still finishes the streams that it has.
    session.setTimeout(HTTP2_IDLE, () => session.close())
  })
  // A closed session waits for the client to close the connection, however long that takes.
  server.on('secureConnection', (socket) => {
    socket.once('finish', () => setTimeout(() => socket.destroy(), CLOSING).unref())
  })
  return server
}

/** Has HTTP/2 connections end when their last stream has; new ones would begin on them for as long as clients like. */
export function closeSessions(server: Server | Http2SecureServer): () => void {
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  return () => {
    for (const session of sessions) session.close()
  }
}
