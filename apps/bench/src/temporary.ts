import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const INTERRUPTED = 130

/** Makes a directory that is removed however this process ends, short of SIGKILL. */
export function temporaryDirectory(): string {
  const root = mkdtempSync(join(tmpdir(), 'koa-range-bench-'))
  process.once('exit', () => rmSync(root, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(INTERRUPTED))
  return root
}
