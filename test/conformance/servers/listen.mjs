import { createServer } from 'node:http'

/** The directory that the parent wants served. */
export const root = process.argv[2] ?? '.'

/** Listens on a free port of loopback, prints its URL, and ends with the parent. */
export function listen(listener) {
  const server = createServer(listener).listen(0, '127.0.0.1', () => announce(server.address().port))
}

export function announce(port) {
  console.log(`http://127.0.0.1:${port}`)
  // However the parent ends, this pipe closes.
  process.stdin.resume().once('end', () => process.exit())
}

/**
 * Lives on after what would end the process, so that the cases after it can be judged: the request that was its cause
 * stays without an answer. For peers only.
 */
export function outliveErrors() {
  process.on('uncaughtException', console.error)
  process.on('unhandledRejection', console.error)
}
