import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { StoreOptions, UploadStore } from 'upload-store'
import { type Config, ConfigError } from '../config/config.ts'
import { openStore } from '../processes/open-store.ts'

type Changes = Pick<StoreOptions, 'accept' | 'detectType'>

/**
 * Opens the store of a command, which has to exist: an empty store at a mistyped path would pass as an intact backup.
 *
 * @throws ConfigError, also if root would open the store of another user
 */
export async function openOwnStore(config: Config): Promise<UploadStore> {
  const { data, s3 } = config
  if (s3 === undefined && !existsSync(join(data, 'FORMAT'))) {
    const problem = existsSync(data) ? 'is not a store' : 'does not exist'
    throw new ConfigError(`--data ${data} ${problem}. Check the path. The command import creates a store.`)
  }
  return openOrCreateOwnStore(config)
}

/**
 * Opens the store that a command fills, and creates it if it is missing.
 *
 * @throws ConfigError, also if root would open the store of another user
 */
export async function openOrCreateOwnStore(config: Config, changes?: Changes): Promise<UploadStore> {
  if (config.s3 === undefined) refuseRoot(config.data)
  return openStore(config, undefined, changes)
}

/** The service's user cannot read files that root creates: videos would be 500, and the store not writable. */
function refuseRoot(data: string): void {
  const owner = statSync(data, { throwIfNoEntry: false })?.uid
  if (process.getuid?.() !== 0 || owner === undefined || owner === 0) return
  throw new ConfigError(
    `--data ${data} belongs to the user ${owner}, who could not read what root creates there. Run the command as that user: sudo -u '#${owner}' koa-range-server …`,
  )
}
