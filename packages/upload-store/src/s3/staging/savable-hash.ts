import { createSHA256 } from 'hash-wasm'
import { StoreError } from '../../contract/store-error.ts'
import type { RunningHash } from '../../session/intake.ts'

/**
 * A sha-256 whose state can be kept, which node:crypto has none of: parts of an unfinished multipart upload cannot be read
 * again by whoever resumes it. 3.2 ms a MiB, where node:crypto takes 0.6.
 *
 * @throws StoreError CORRUPT when `state` is of another version of hash-wasm
 */
export async function savableHash(state?: Uint8Array): Promise<RunningHash> {
  const hash = await createSHA256()
  hash.init()
  if (state !== undefined) load(hash, state)
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => {
      const before = hash.save()
      const digest = hash.digest('hex')
      hash.load(before)
      return digest
    },
    save: () => hash.save(),
  }
}

function load(hash: { load(state: Uint8Array): unknown }, state: Uint8Array): void {
  try {
    hash.load(state)
  } catch (cause) {
    const message =
      'The upload was begun with another version of hash-wasm and cannot be resumed. Create a new upload.'
    throw new StoreError('CORRUPT', message, { cause })
  }
}
