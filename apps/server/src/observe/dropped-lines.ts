import { Counter, type Registry } from 'prom-client'
import { standardError } from './standard-streams.ts'

/** Counts, in `registry`, the log lines that this process could not write. */
export function countDroppedLines(registry: Registry): void {
  new Counter({
    name: 'log_lines_dropped_total',
    help: 'Log lines dropped because standard error was full or not read',
    registers: [registry],
    collect() {
      this.reset()
      this.inc(standardError().dropped)
    },
  })
}
