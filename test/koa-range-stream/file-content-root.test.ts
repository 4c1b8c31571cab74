import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileContent } from 'koa-range-stream'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from './files.ts'

/** root/, with clip.mp4 and inner/deep.mp4, beside root-secret/ and outside.mp4. */
async function tree(): Promise<string> {
  const directory = await temporaryDirectory()
  const root = join(directory, 'root')
  await mkdir(join(root, 'inner'), { recursive: true })
  await mkdir(join(directory, 'root-secret'))
  await writeFile(join(root, 'clip.mp4'), 'clip')
  await writeFile(join(root, 'inner', 'deep.mp4'), 'deep!')
  await writeFile(join(root, '..clip.mp4'), 'dotted')
  await writeFile(join(directory, 'outside.mp4'), 'outside')
  await writeFile(join(directory, 'root-secret', 'secret.mp4'), 'secret')
  await symlink('../outside.mp4', join(root, 'leaving.mp4'))
  await symlink('..', join(root, 'up'))
  await symlink('../root-secret', join(root, 'sibling'))
  await symlink('clip.mp4', join(root, 'link.mp4'))
  await symlink(join(root, 'inner'), join(root, 'inner-link'))
  await symlink('loop', join(root, 'loop'))
  await symlink('nowhere', join(root, 'dangling'))
  await symlink('root', join(directory, 'root-link'))
  return root
}

describe('fileContent: root', () => {
  it('is refused where it is empty or undefined, as a variable that is not set, and opens no file', async () => {
    const path = join(await tree(), 'clip.mp4')
    const unset = { root: process.env['NO_SUCH_VARIABLE'] } as { root: string }
    for (const options of [unset, { root: '' }])
      await expect(fileContent(path, options)).rejects.toThrow(
        new TypeError('The option root is empty. Name a directory.'),
      )
    expect((await fileContent(path))?.size).toBe(4)
  })

  it('follows a root that is a symbolic link to the directory to which it leads now', async () => {
    const directory = await temporaryDirectory()
    const root = join(directory, 'current')
    for (const name of ['first', 'second!']) {
      await mkdir(join(directory, name))
      await writeFile(join(directory, name, 'clip.mp4'), name)
      await symlink(name, join(directory, 'next'))
      await rename(join(directory, 'next'), root)
      for (let i = 0; i < 2; i++) expect((await fileContent('clip.mp4', { root }))?.size).toBe(name.length)
    }
    await symlink('../first/clip.mp4', join(directory, 'second!', 'left.mp4'))
    expect(await fileContent('left.mp4', { root })).toBeNull()
  })

  it.each([
    ['a file in it', 'clip.mp4', 4],
    ['a file in a directory of it', 'inner/deep.mp4', 5],
    ['a path with .. that stays inside', 'inner/../clip.mp4', 4],
    ['a path that starts with a slash, as URLs do', '/clip.mp4', 4],
    ['a name that starts with two dots', '..clip.mp4', 6],
    ['a symbolic link that stays inside', 'link.mp4', 4],
    ['a symbolic link to a directory inside', 'inner-link/deep.mp4', 5],
  ])('finds %s', async (_what, path, size) => {
    expect((await fileContent(path, { root: await tree() }))?.size).toBe(size)
  })

  it.each([
    ['..', '../outside.mp4'],
    ['.. behind a directory', 'inner/../../outside.mp4'],
    ['.. behind a slash', '/../outside.mp4'],
    ['a symbolic link to a file', 'leaving.mp4'],
    ['a symbolic link to the directory above', 'up/outside.mp4'],
    ["a sibling that has the root's name as prefix", '../root-secret/secret.mp4'],
    ['a symbolic link to such a sibling', 'sibling/secret.mp4'],
  ])('is null for what leaves it by %s', async (_what, path) => {
    expect(await fileContent(path, { root: await tree() })).toBeNull()
  })

  it.each([
    ['a missing file', 'missing.mp4'],
    ['the root itself', ''],
    ['the root itself by name', '.'],
    ['a directory', 'inner'],
    ['a link in a circle', 'loop'],
    ['a link to nothing', 'dangling'],
    ['a name with NUL', 'clip.mp4\0'],
    ['a name that is too long', 'x'.repeat(5000)],
    ['percent-encoded dots, which it does not decode', '%2e%2e/outside.mp4'],
  ])('is null for %s', async (_what, path) => {
    expect(await fileContent(path, { root: await tree() })).toBeNull()
  })

  it('is null for an absolute path to a file elsewhere', async () => {
    const root = await tree()
    expect(await fileContent(join(root, '..', 'outside.mp4'), { root })).toBeNull()
    expect(await fileContent(process.execPath, { root })).toBeNull()
  })

  it('may be a symbolic link itself, or end in a slash', async () => {
    const root = await tree()
    expect((await fileContent('clip.mp4', { root: `${root}-link` }))?.size).toBe(4)
    expect((await fileContent('clip.mp4', { root: `${root}/` }))?.size).toBe(4)
  })

  it('is null where the root is missing', async () => {
    expect(await fileContent('clip.mp4', { root: `${await tree()}-missing` })).toBeNull()
  })

  it('streams the file that it has found', async () => {
    const content = await fileContent('inner-link/deep.mp4', { root: await tree() })
    const chunks: Uint8Array[] = []
    for await (const chunk of (await content?.stream()) ?? []) chunks.push(chunk)
    expect(Buffer.concat(chunks).toString()).toBe('deep!')
  })
})

describe('fileContent with a root: names', () => {
  it('finds files when the root is the root of the file system', async () => {
    const directory = await temporaryDirectory()
    await writeFile(join(directory, 'a'), 'x')
    expect(await fileContent(join(directory, 'a').slice(1), { root: '/' })).toMatchObject({ size: 1 })
  })

  it('has the name that was asked for, not the one that a link leads to', async () => {
    const directory = await temporaryDirectory()
    await writeFile(join(directory, 'blob'), 'x')
    await symlink('blob', join(directory, 'clip.mp4'))
    expect(await fileContent('clip.mp4', { root: directory })).toMatchObject({ name: 'clip.mp4' })
  })

  it('finds no file under the name of a directory', async () => {
    const directory = await temporaryDirectory()
    await writeFile(join(directory, 'a'), 'x')
    expect(await fileContent('a/', { root: directory })).toBeNull()
  })
})
