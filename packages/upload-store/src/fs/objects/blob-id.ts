import { accessSync, constants } from 'node:fs'
import { dirname } from 'node:path'
import { randomId } from '../../values/random-id.ts'
import { hasCode, isDirectory, isThere } from '../disk/files.ts'
import type { Layout } from '../disk/layout.ts'

/** At most a few of the 256 shards are unusable. If all are, the attempt to write reports the reason. */
const MAX_TRIES = 20

/**
 * Returns the id of a new blob: `wanted`, unless its shard cannot be written, for example because a file has the
 * shard's name. An unrelated entry must not make an upload fail.
 */
export function blobId(layout: Layout, wanted: string = randomId()): string {
  let id = wanted
  for (let tries = 0; tries < MAX_TRIES && !isUsable(dirname(layout.blob(id))); tries++) id = randomId()
  return id
}

function isUsable(shard: string): boolean {
  try {
    if (!isDirectory(shard)) return !isThere(shard)
    accessSync(shard, constants.W_OK | constants.X_OK)
    return true
  } catch (error) {
    // Any other error, such as that of a read-only disk, concerns every shard.
    return !hasCode(error, 'EACCES')
  }
}
