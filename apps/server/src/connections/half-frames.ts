import type { ServerHttp2Session } from 'node:http2'
import type { Server } from 'node:net'
import { socketHandle } from './socket-handle.ts'

/** Looks in the time that a client has; the first one sends the PING, so that the rest is its time to answer. */
const LOOKS = 5
/** A PING frame: 9 bytes of header and 8 of payload. */
const PING = 17
/** The longest frame that a client may send: its header, and the default of SETTINGS_MAX_FRAME_SIZE. */
const FRAME = 9 + 16 * 1024

interface Ping {
  /** What the connection had received then. */
  readonly received: number
  /** Looks since then. */
  looks: number
  isAnswered: boolean
}

interface Watched {
  streams: number
  ping: Ping | null
}

/**
 * Destroys HTTP/2 connections that have sent only a part of a frame, of a header block or of the connection preface for
 * `timeout` ms.
 *
 * Node reports whole header blocks only. A PING shows the difference from an idle connection: every client has to answer
 * it (RFC 9113 §6.7), and none can in the middle of a frame or a header block. Connections with open streams are left to
 * the limits of those streams.
 */
export function endHalfFrames(server: Server, timeout: number): void {
  const sessions = new Map<ServerHttp2Session, Watched>()

  function judge(session: ServerHttp2Session, watched: Watched): void {
    const { ping } = watched
    // What is queued for a client keeps Node from reading, and the PING from being sent.
    if (watched.streams > 0 || isBlocked(session)) watched.ping = null
    else if (ping === null || isNewsSince(ping, session)) watched.ping = send(session)
    else if (!ping.isAnswered && ++ping.looks >= LOOKS - 1) session.destroy()
  }

  function look(): void {
    for (const [session, watched] of sessions) {
      if (!session.destroyed && session.socket !== undefined) judge(session, watched)
    }
  }

  server.on('session', (session: ServerHttp2Session) => {
    const watched: Watched = { streams: 0, ping: null }
    sessions.set(session, watched)
    session.once('close', () => sessions.delete(session))
    session.on('stream', (stream) => {
      watched.streams++
      stream.once('close', () => watched.streams--)
    })
  })
  const timer = setInterval(look, timeout / LOOKS).unref()
  server.once('close', () => clearInterval(timer))
}

/** Whether more than the answer has arrived since the PING, so that a part of a frame may follow it. */
function isNewsSince({ isAnswered, received }: Ping, { socket }: ServerHttp2Session): boolean {
  const news = socket.bytesRead - received
  return isAnswered ? news !== PING : news >= FRAME
}

function send(session: ServerHttp2Session): Ping {
  const ping: Ping = { received: session.socket.bytesRead, looks: 0, isAnswered: false }
  session.ping((error) => {
    ping.isAnswered = error === null
  })
  return ping
}

function isBlocked({ socket }: ServerHttp2Session): boolean {
  return (socketHandle(socket)?.writeQueueSize ?? 0) > 0
}
