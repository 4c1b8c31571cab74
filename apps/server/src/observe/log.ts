import { isatty } from 'node:tty'
import type Koa from 'koa'
import { type Logger, pino } from 'pino'
import type { DamagedEntry } from 'upload-store'
import type { Config } from '../config/config.ts'
import { isAbort } from '../http/client-abort.ts'
import { logStream } from './bounded-sink.ts'
import { prettyLine } from './log-format.ts'
import type { Metrics } from './metrics.ts'
import { requestId } from './observe-requests.ts'
import { standardError } from './standard-streams.ts'

/** Returns a logger that writes to standard error: one JSON object a line, or readable text if it is a terminal. */
export function createLogger({ logLevel }: Config): Logger {
  // A parse error carries the packet, and with it whatever credentials the client sent.
  const err = ({ name, message, stack, code, cause }: Error & { code?: string }) => ({
    name,
    message,
    code,
    // Why a store cannot be reached.
    cause: cause instanceof Error ? cause.message || cause.name : undefined,
    stack,
  })
  const options = { level: logLevel, base: null, serializers: { err } }
  return pino(options, logStream(standardError(), isatty(2) ? prettyLine : null))
}

/**
 * Logs the warnings of Node and of libraries. By default they are written straight to standard error, and the whole process
 * waits for its reader.
 */
export function logWarnings(logger: Logger): void {
  const log = (warning: Error) => logger.warn({ err: warning }, warning.message)
  for (const listener of process.listeners('warning')) {
    // Node's own, which is missing under --no-warnings.
    if (listener.name === 'onWarning') process.off('warning', listener).on('warning', log)
  }
  // An event of the library depd, which Koa and http-errors use.
  process.on('deprecation', log)
}

/** Logs errors. Koa reports an abort of the client as an error, up to twice. */
export function logErrors(logger: Logger): (error: Error, ctx?: Koa.Context) => void {
  return (error, ctx) => {
    if (ctx !== undefined && isAbort(ctx, error))
      logger.debug({ id: requestId(ctx), reason: error.message }, 'client went away')
    else logger.error({ id: requestId(ctx), err: error }, error.message)
  }
}

/** Returns a callback for a store that logs one line for each damaged entry and counts the entry in `metrics`. */
export function reportDamage(logger: Logger, metrics?: Metrics): (entry: DamagedEntry) => void {
  return ({ entry, reason }) => {
    metrics?.damaged()
    logger.error({ entry, reason }, 'the store skips a damaged entry')
  }
}
