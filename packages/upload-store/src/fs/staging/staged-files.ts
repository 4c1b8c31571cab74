import { readdir } from 'node:fs/promises'
import { removeIfThere } from '../disk/files.ts'
import type { Layout } from '../disk/layout.ts'
import type { FsParts } from '../fs-context.ts'

/** What a session or a publication has left in `staging/`, told by the ids in front. */
export function uploadIds(names: readonly string[]): Set<string> {
  const ids = names.map(
    (name) => /^([\w-]{22})\.(?:part|part\.tmp|json|json\.tmp|fence|record)$/.exec(name)?.[1],
  )
  return new Set(ids.filter((id) => id !== undefined))
}

/** Ids of the uploads that have both bytes and a manifest: without bytes it is a receipt, without a manifest not resumable. */
export async function resumableIds({ staging }: Layout): Promise<readonly string[]> {
  const names = new Set(await readdir(staging))
  return [...uploadIds([...names])].filter((id) => names.has(`${id}.part`) && names.has(`${id}.json`))
}

/** Removes every file that can be called by `id` but its lock, for good. */
export async function discardFiles(context: FsParts<'layout' | 'disk' | 'space'>, id: string): Promise<void> {
  // First: of an upload that was committed nothing else is left.
  await removeIfThere(context.layout.manifest(id))
  await leaveReceipt(context, id)
}

/** Removes all but the manifest, which says what the upload has become. */
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
