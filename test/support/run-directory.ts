import { chmod, mkdtemp, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundlePrograms } from './bundled.ts'
import { cleanUpAfterwards } from './clean-up.mjs'
import { endWithNpm } from './end-with-npm.ts'
import { memoryDirectory } from './memory-directory.ts'

/** Which process has a directory for its tests. vitest calls `setup` for each project, with an instance of this module each. */
const OWNER = 'TEST_DIRECTORY_OWNER'

/**
 * Gives a run one temporary directory for everything, and where there is much memory another one there, of which
 * `place-of-files.ts` makes use: a signal that ends the run leaves no process and no file.
 */
export default async function setup(): Promise<void> {
  if (process.env[OWNER] === String(process.pid)) return
  process.env[OWNER] = String(process.pid)
  const onDisk = await realpath(await mkdtemp(join(tmpdir(), 'koa-range-run-')))
  const inMemory = await memoryDirectory()
  for (const directory of inMemory === null ? [onDisk] : [onDisk, inMemory]) {
    // Some tests give up their user's rights and still need the folders that they have made below.
    await chmod(directory, 0o711)
    cleanUpAfterwards(directory)
  }
  // Workers, and the processes that tests start, inherit them.
  process.env['TMPDIR'] = onDisk
  process.env['TEST_DIRECTORY_ON_DISK'] = onDisk
  process.env['TEST_DIRECTORY_IN_MEMORY'] = inMemory ?? onDisk
  await endWithNpm()
  await bundlePrograms(onDisk)
}
