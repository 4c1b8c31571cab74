import { rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { randomId } from '../../values/random-id.ts'
import { hasCode } from '../disk/files.ts'
import type { FsParts } from '../fs-context.ts'

/**
 * Moves a damaged or foreign entry to `quarantine/`, where an operator can inspect it. Resolves to whether it existed.
 * The new name has the extension of a record, so that sweep keeps the blob that the entry may name.
 */
export async function setAside({ layout, disk }: FsParts<'layout' | 'disk'>, path: string): Promise<boolean> {
  const target = join(layout.quarantine, `${randomId()}.json`)
  await disk.makeParent(target)
  try {
    await rename(path, target)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
  await disk.syncDirectory(layout.quarantine)
  await disk.syncDirectory(dirname(path))
  return true
}
