import type { Server, Socket } from 'node:net'
import { socketHandle } from './socket-handle.ts'
import { unacknowledged } from './unacknowledged.ts'

/** Looks in the time that a peer has. */
const LOOKS = 8

interface Waiting {
  readonly fd: number
  /** Bytes that the kernel has taken. */
  readonly taken: number
  /** Those of them that the peer has acknowledged, if that is known. */
  acknowledged: number
  /** Looks without progress. Time would also count while this process was stopped or had no processor. */
  silent: number
  /** Whether `taken` has not changed since the look before. */
  isStuck: boolean
}

/**
 * Destroys connections whose peer takes nothing of what is sent for `timeout` ms.
 *
 * One timer looks at the counters of all connections, so that the number of bytes, responses and chunks costs nothing. It
 * works below TLS and HTTP/2, for every way to send a body.
 */
export function endStalledConnections(server: Server, connections: Iterable<Socket>, timeout: number): void {
  let waiting: ReadonlyMap<Socket, Waiting> = new Map()

  async function look(): Promise<void> {
    waiting = findWaiting(connections, waiting)
    const stuck = [...waiting].filter(([, { isStuck }]) => isStuck)
    if (stuck.length === 0) return
    const rest = await unacknowledged(stuck.map(([, { fd }]) => fd))
    for (const [socket, state] of stuck) judge(socket, state, rest.get(state.fd) ?? 0)
  }

  function judge(socket: Socket, state: Waiting, rest: number): void {
    const acknowledged = state.taken - rest
    state.silent = acknowledged === state.acknowledged ? state.silent + 1 : 0
    state.acknowledged = acknowledged
    if (state.silent >= LOOKS) socket.destroy()
  }

  const timer = setInterval(look, timeout / LOOKS).unref()
  server.once('close', () => clearInterval(timer))
}

/** The connections for which the kernel has no room. */
function findWaiting(
  connections: Iterable<Socket>,
  before: ReadonlyMap<Socket, Waiting>,
): Map<Socket, Waiting> {
  const waiting = new Map<Socket, Waiting>()
  for (const socket of connections) {
    const handle = socketHandle(socket)
    if (handle === null || handle.writeQueueSize === 0) continue
    const taken = handle.bytesWritten - handle.writeQueueSize
    const known = before.get(socket)
    if (known?.taken !== taken)
      waiting.set(socket, { fd: handle.fd, taken, acknowledged: taken, silent: 0, isStuck: false })
    else {
      known.isStuck = true
      waiting.set(socket, known)
    }
  }
  return waiting
}
