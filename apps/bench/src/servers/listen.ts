import { createServer, type RequestListener } from 'node:http'

/** The directory that the parent wants served. */
export const root: string = process.argv[2] ?? '.'

/** Which of several servers that one module can be. */
export const mode: string = process.argv[3] ?? ''

/** Listens on a free port, which it sends to the parent, and ends with the parent. */
export function listen(listener: RequestListener): void {
  // Node's own request timeout would end an upload that waits its turn on a slow disk.
  const server = createServer({ requestTimeout: 0 }, listener).listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (typeof address === 'object' && address !== null) process.send?.(address.port)
  })
  // However the parent ends, even by SIGKILL, the channel closes.
  process.once('disconnect', () => process.exit())
  // Ctrl-C reaches the whole process group; dying first would look to the parent like a server that crashed.
  process.on('SIGINT', () => {})
}
