import { accessSync, constants } from 'node:fs'
import { dirname } from 'node:path'
import { randomId } from '../../values/random-id.ts'
import { hasCode, isDirectory, isThere } from '../disk/files.ts'
import type { Layout } from '../disk/layout.ts'

/** Of 256 shards at most a few are unusable; if all are, the attempt to write says why. */
const MAX_TRIES = 20

/**
 * The id of a new blob: `wanted`, unless its shard cannot be written, for example because a file has the shard's name.
 * An upload must not fail because of an entry that has nothing to do with it.
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
    // Anything else, such as a disk that is read-only, concerns every shard.
    return !hasCode(error, 'EACCES')
  }
}
