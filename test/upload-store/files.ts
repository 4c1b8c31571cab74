import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Every regular file of the store in `directory` but those that name its processes, relative to it. */
export async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter((name) => !name.startsWith('owners/'))
}
