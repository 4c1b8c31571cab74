import { createServer, type RequestListener, type Server } from 'node:http'
import type { Listening } from '../child.ts'

/** The directory that the parent wants served. */
export const root: string = process.argv[2] ?? '.'

/** Which of several servers that one module can be. */
export const mode: string = process.argv[3] ?? ''

/** Listens on a free port, which it tells the parent, and ends with the parent. */
export function listen(listener: RequestListener): void {
  // Node's own request timeout would end an upload that waits its turn on a slow disk.
  const server = createServer({ requestTimeout: 0 }, listener)
  server.listen(0, '127.0.0.1', () => announceServer(server))
}

/** For hosts that make their server themselves: likewise, once it listens. */
export function announceServer(server: Server): void {
  const address = server.address()
  if (typeof address === 'object' && address !== null) announce({ port: address.port, pid: process.pid })
}

/** Tells the parent that a server listens, and ends this process with the parent. */
export function announce(listening: Listening): void {
  process.send?.(listening)
  // However the parent ends, even by SIGKILL, the channel closes.
  process.once('disconnect', () => process.exit())
  // Ctrl-C reaches the whole process group; dying first would look to the parent like a server that crashed.
  process.on('SIGINT', () => {})
}
