import type { Socket } from 'node:net'

/** What Node knows of a connection and does not publish. */
export interface SocketHandle {
  readonly fd: number
  /** Bytes given to the kernel, or queued for it. */
  readonly bytesWritten: number
  /** Bytes queued for the kernel, which has no room for them. */
  readonly writeQueueSize: number
}

/** The handle of an open TCP connection; `null` if it is closed, or this version of Node has no such fields. */
export function socketHandle(socket: Socket): SocketHandle | null {
  const handle: unknown = Reflect.get(socket, '_handle')
  return isSocketHandle(handle) ? handle : null
}

function isSocketHandle(handle: unknown): handle is SocketHandle {
  if (typeof handle !== 'object' || handle === null) return false
  return ['fd', 'bytesWritten', 'writeQueueSize'].every(
    (name) => typeof Reflect.get(handle, name) === 'number',
  )
}
