import type { Logger } from 'pino'
import type { DamagedEntry } from 'upload-store'
import type { Metrics } from './metrics.ts'

/** Returns what a store calls for each damaged entry: it logs one line, and counts the entry in `metrics`. */
export function reportDamage(logger: Logger, metrics?: Metrics): (entry: DamagedEntry) => void {
  return ({ entry, reason }) => {
    metrics?.damaged()
    logger.error({ entry, reason }, 'the store skips a damaged entry')
  }
}
