import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const INTERRUPTED = 130

/** Makes a directory that is removed however this process ends, short of SIGKILL. */
export function temporaryDirectory(): string {
  const root = mkdtempSync(join(tmpdir(), 'koa-range-bench-'))
  // A server that was killed a moment ago may still make files in here.
  const options = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }
  process.once('exit', () => rmSync(root, options))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(INTERRUPTED))
  return root
}
