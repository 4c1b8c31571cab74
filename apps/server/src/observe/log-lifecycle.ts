import type { Logger } from 'pino'

interface Closable {
  readonly url: string
  close(): Promise<void>
}

/**
 * Logs when the server accepts requests, when it begins to end, and when all is done, so that a gap in the log has a
 * reason. Returns the server with a `close` that does so.
 */
export function logLifecycle<Server extends Closable>(server: Server, logger: Logger): Server {
  logger.info({ url: server.url, pid: process.pid }, 'listening')
  const close = async () => {
    logger.info('stopping')
    await server.close()
    logger.info('stopped')
  }
  return { ...server, close }
}
