import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { REPOSITORY } from '../support/server.ts'

const FOLDERS = ['.', '.changeset', 'docs', 'docs/decisions', 'packages/*', 'apps/*']

async function foldersOf(pattern: string): Promise<string[]> {
  if (!pattern.endsWith('/*')) return [pattern]
  const parent = pattern.slice(0, -2)
  return (await readdir(join(REPOSITORY, parent))).map((name) => join(parent, name))
}

/** Returns the paths of all Markdown files of the repository, relative to it. */
export async function documents(): Promise<string[]> {
  const folders = (await Promise.all(FOLDERS.map(foldersOf))).flat()
  const each = folders.map(async (folder) => {
    const names = await readdir(join(REPOSITORY, folder))
    return names.filter((name) => name.endsWith('.md')).map((name) => join(folder, name))
  })
  return (await Promise.all(each)).flat()
}
