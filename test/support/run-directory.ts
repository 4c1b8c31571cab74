import { chmod, mkdtemp, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundlePrograms } from './bundled.ts'
import { cleanUpAfterwards } from './clean-up.mjs'
import { endWithNpm } from './end-with-npm.ts'

/** Which process has a directory for its tests. vitest calls `setup` for each project, with an instance of this module each. */
const OWNER = 'TEST_DIRECTORY_OWNER'

/** Gives a run one temporary directory for everything: a signal that ends the run leaves no process and no file. */
export default async function setup(): Promise<void> {
  if (process.env[OWNER] === String(process.pid)) return
  process.env[OWNER] = String(process.pid)
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'koa-range-run-')))
  // Some tests give up their user's rights and still need the folders that they have made below.
  await chmod(directory, 0o711)
  // Workers, and the processes that tests start, inherit it.
  process.env['TMPDIR'] = directory
  cleanUpAfterwards(directory)
  await endWithNpm()
  await bundlePrograms(directory)
}
