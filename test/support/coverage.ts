import { fileURLToPath } from 'node:url'

const COVERED = process.env['NODE_V8_COVERAGE'] !== undefined

/** What a process of Node is started with, so that `npm run coverage` counts it although a test kills it. */
export const COVERAGE_FLAGS: readonly string[] = COVERED
  ? ['--import', fileURLToPath(new URL('write-coverage-when-killed.mjs', import.meta.url))]
  : []

/** What kills such a process: SIGKILL, before which coverage is written where it is counted. */
export const KILL: NodeJS.Signals = COVERED ? 'SIGUSR2' : 'SIGKILL'
