import { Socket } from 'node:net'

/** The bytes that the kernel has sent over a socket; both builds may send over one. */
const SENT: unique symbol = Symbol.for('koa-range-stream/sent-bytes/1')

type Counted = Socket & { [SENT]?: number }

const nodesOwn = Object.getOwnPropertyDescriptor(Socket.prototype, 'bytesWritten')

/** One descriptor for all sockets, as V8 makes a new hidden class for each new accessor. */
const withSent: PropertyDescriptor & ThisType<Counted> = {
  configurable: true,
  enumerable: true,
  get() {
    return nodesOwn?.get?.call(this) + (this[SENT] ?? 0)
  },
}

/** Adds to `socket.bytesWritten`, which counts only what passes through Node. */
export function countSent(socket: Counted, bytes: number): void {
  if (socket[SENT] === undefined) Object.defineProperty(socket, 'bytesWritten', withSent)
  socket[SENT] = (socket[SENT] ?? 0) + bytes
}
