import { readdir } from 'node:fs/promises'
import { removeIfThere } from '../disk/files.ts'
import type { Layout } from '../disk/layout.ts'
import type { FsParts } from '../fs-context.ts'

/** The name of a file of an upload that only its process knows of: its id, and the name of its owner. */
export const OWN_FILE: RegExp = /^([\w-]{22})\.([\w-]{22})\.(part|record)$/

/** Returns the upload ids that begin the names of files in `staging/`. */
export function uploadIds(names: readonly string[]): Set<string> {
  const ids = names.map(
    (name) => /^([\w-]{22})\.(?:part|part\.tmp|json|json\.tmp|fence|record)$/.exec(name)?.[1],
  )
  return new Set(ids.filter((id) => id !== undefined))
}

/**
 * Returns the ids of the uploads that have both bytes and a manifest. A manifest without bytes is a receipt; bytes
 * without a manifest cannot be resumed.
 */
export async function resumableIds({ staging }: Layout): Promise<readonly string[]> {
  const names = new Set(await readdir(staging))
  return [...uploadIds([...names])].filter((id) => names.has(`${id}.part`) && names.has(`${id}.json`))
}

/** Removes every file with this id except its lock, durably. */
export async function discardFiles(context: FsParts<'layout' | 'disk' | 'space'>, id: string): Promise<void> {
  // The manifest first: for a committed upload it is the only file.
  await removeIfThere(context.layout.manifest(id))
  await leaveReceipt(context, id)
}

/** Removes all files of the upload except its manifest, which is the receipt of a commit. */
export async function leaveReceipt(
  { layout, disk, space }: FsParts<'layout' | 'disk' | 'space'>,
  id: string,
): Promise<void> {
  const { part, draft, manifest, fence } = layout
  const paths = [part(id), draft(id), fence(id), `${part(id)}.tmp`, `${manifest(id)}.tmp`]
  for (const path of paths) await removeIfThere(path)
  space.removed(id)
  await disk.syncDirectory(layout.staging)
}
