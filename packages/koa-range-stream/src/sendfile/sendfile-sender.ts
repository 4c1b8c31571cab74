import { ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { LONG } from '../file/buffers.ts'
import { mayReadAtOnce, noteRead } from '../file/descriptors.ts'
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
    return (
      socket !== null &&
      Object.getPrototypeOf(socket) === Socket.prototype &&
      socket.write === Socket.prototype.write
    )
  }

  send(response: ServerResponse, fd: number, position: number, length: number): number {
    // All in one turn: a socket that is closed later may leave its number to another connection.
    const { socket } = response
    if (socket === null || !this.canSendTo(response) || !hasFixedLength(response)) return 0
    const handle = idleHandle(response, socket)
    if (handle === null) return 0
    const inMemory = this.#isInMemory(fd, position, length)
    if (inMemory === false) return COLD
    const sent = response.headersSent
      ? this.#sendBytes(handle, fd, position, length, inMemory)
      : this.#sendAfterHead(response, socket, handle, () =>
          this.#sendBytes(handle, fd, position, length, inMemory),
        )
    if (sent <= 0) return 0
    countSent(socket, sent)
    // As a write would.
    if (socket.timeout) socket.setTimeout(socket.timeout)
    return sent
  }

  /** In one packet with the first bytes, because each packet costs as much as copying 64 KiB. */
  #sendAfterHead(response: ServerResponse, socket: Socket, handle: Handle, sendBytes: () => number): number {
    this.#kernel.cork(handle.fd, true)
    try {
      response.flushHeaders()
      return response.chunkedEncoding || idleHandle(response, socket) === null ? 0 : sendBytes()
    } finally {
      // The fields are written by code of the app, which may close the connection.
      if (!socket.destroyed) this.#kernel.cork(handle.fd, false)
    }
  }

  /** The ends of the range stand for what is between them, because the kernel reads ahead. */
  #isInMemory(fd: number, position: number, length: number): boolean | null {
    const first = this.#kernel.isInMemory(fd, position)
    if (first !== true) return first === null && !mayReadAtOnce() ? false : first
    return this.#kernel.isInMemory(fd, position + length - 1)
  }

  #sendBytes(handle: Handle, fd: number, position: number, length: number, inMemory: true | null): number {
    if (inMemory) return this.#kernel.sendfile(handle.fd, fd, position, length)
    // The file system cannot say what is in memory, so the time of the calls is judged, as that of reads is.
    const started = performance.now()
    const sent = this.#kernel.sendfile(handle.fd, fd, position, Math.min(length, LONG))
    noteRead(started, Math.max(sent, 0))
    return sent
  }
}

function hasFixedLength(response: ServerResponse): boolean {
  return !response.strictContentLength && !response.chunkedEncoding && response.hasHeader('Content-Length')
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
