import { ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { LONG } from '../file/buffers.ts'
import { mayReadAtOnce, noteRead } from '../file/file-system.ts'
import { COLD, type KernelSender } from '../file/send-by-kernel.ts'
import type { Kernel } from './kernel.ts'
import { countSent } from './sent-bytes.ts'

/** What Node knows of an open connection and does not publish. */
interface Handle {
  readonly fd: number
  /** Bytes that wait for room in the kernel. */
  readonly writeQueueSize: number
}

/** Sends to responses of Node's HTTP/1 server over TCP or a Unix socket. */
export class SendfileSender implements KernelSender {
  readonly #kernel: Kernel

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  canSendTo(response: ServerResponse): boolean {
    const { write, end } = ServerResponse.prototype
    if (!(response instanceof ServerResponse) || response.write !== write || response.end !== end)
      return false
    // A response that is pipelined behind another has no socket. TLS sockets have a class of their own.
    const { socket } = response
    return socket !== null && Object.getPrototypeOf(socket) === Socket.prototype
  }

  send(response: ServerResponse, fd: number, position: number, length: number): number {
    // All in one turn: a socket that is closed later may leave its number to another connection.
    const { socket } = response
    if (socket === null || !this.canSendTo(response) || !flushHead(response)) return 0
    const handle = idleHandle(response, socket)
    if (handle === null) return 0
    const inMemory = this.#isInMemory(fd, position, length)
    if (inMemory === false) return COLD
    const sent =
      inMemory === null
        ? this.#sendTimed(handle, fd, position, Math.min(length, LONG))
        : this.#kernel.sendfile(handle.fd, fd, position, length)
    if (sent <= 0) return 0
    countSent(socket, sent)
    // As a write would.
    if (socket.timeout) socket.setTimeout(socket.timeout)
    return sent
  }

  /** The ends of the range stand for what is between them, because the kernel reads ahead. */
  #isInMemory(fd: number, position: number, length: number): boolean | null {
    const first = this.#kernel.isInMemory(fd, position)
    if (first !== true) return first === null && !mayReadAtOnce() ? false : first
    return this.#kernel.isInMemory(fd, position + length - 1)
  }

  /** Judges by the time of the calls, as reads do, if the file system cannot say what is in memory. */
  #sendTimed(handle: Handle, fd: number, position: number, length: number): number {
    const started = performance.now()
    const sent = this.#kernel.sendfile(handle.fd, fd, position, length)
    noteRead(started, Math.max(sent, 0))
    return sent
  }
}

/** Sends the header section if it is still to be sent; `false` if the body has no fixed length. */
function flushHead(response: ServerResponse): boolean {
  if (response.strictContentLength || !response.hasHeader('Content-Length')) return false
  if (!response.headersSent) response.flushHeaders()
  return !response.chunkedEncoding
}

/** Returns the handle of a connection that is open, with nothing queued before the bytes of the body; else `null`. */
function idleHandle(response: ServerResponse, socket: Socket): Handle | null {
  if (response.writableCorked > 0 || response.writableLength > 0 || response.writableEnded) return null
  if (socket.destroyed || !socket.writable || socket.writableCorked > 0 || socket.writableLength > 0)
    return null
  const handle: unknown = Reflect.get(socket, '_handle')
  return isHandle(handle) && handle.fd >= 0 && handle.writeQueueSize === 0 ? handle : null
}

function isHandle(handle: unknown): handle is Handle {
  if (typeof handle !== 'object' || handle === null) return false
  return (
    typeof Reflect.get(handle, 'fd') === 'number' && typeof Reflect.get(handle, 'writeQueueSize') === 'number'
  )
}
