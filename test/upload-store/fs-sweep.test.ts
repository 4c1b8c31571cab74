import { linkSync } from 'node:fs'
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { createFsStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../support/temporary.ts'
import { bytesOf, source } from './contract.ts'
import { filesIn } from './files.ts'

const below = async (directory: string, folder: string) =>
  (await filesIn(directory))
    .filter((name) => name.startsWith(`${folder}/`))
    .map((name) => join(directory, name))

/** A blob that no record names, as a process leaves it that dies before its commit point. */
async function orphan(directory: string, text: string): Promise<void> {
  await mkdir(join(directory, 'blobs', '00'), { recursive: true })
  await writeFile(join(directory, 'blobs', '00', 'A'.repeat(22)), text)
}

describe('sweep', () => {
  it('removes blobs without a record and digest links without a blob, and nothing else', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    await store.put('a', source('kept'))
    const before = await filesIn(directory)
    await orphan(directory, 'nobody’s')
    await mkdir(join(directory, 'digests', '00'))
    await writeFile(join(directory, 'digests', '00', '0'.repeat(64)), 'nobody’s')
    await writeFile(join(directory, 'blobs', '.DS_Store'), '')
    expect(await store.sweep()).toEqual({
      paused: 0,
      discarded: 0,
      busy: 0,
      expired: 0,
      blobs: 1,
      bytes: 10,
      digests: 1,
      damaged: 0,
    })
    expect((await filesIn(directory)).sort()).toEqual([...before, 'blobs/.DS_Store'].sort())
  })

  it('leaves an upload alone whose manifest cannot be read now', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    const session = await store.createUpload('a')
    await session.append(0, source('x'))
    await session.pause()
    const manifest = join(directory, 'staging', `${session.id}.json`)
    await rename(manifest, `${manifest}.away`)
    // EISDIR, as another process short of descriptors would see EMFILE.
    await mkdir(manifest)
    expect(await store.sweep()).toMatchObject({ busy: 1, discarded: 0 })
    await rmdir(manifest)
    await rename(`${manifest}.away`, manifest)
    expect(await store.resumeUpload(session.id)).toMatchObject({ offset: 1 })
  })

  it('is not kept from its work by a plain file in the place of a lock', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory, { ownerTimeout: 0 })
    await writeFile(join(directory, 'staging', `${'A'.repeat(22)}.lock`), '')
    await store.sweep()
    expect(await readdir(join(directory, 'staging'))).toEqual([])
  })

  it('leaves uploads alone that are under way', async () => {
    const store = createFsStore(await temporaryDirectory(), { ownerTimeout: 0, expireAfter: 0 })
    const session = await store.createUpload('a')
    await session.append(0, source('x'))
    expect(await store.sweep()).toMatchObject({ busy: 1, discarded: 0 })
    await session.append(1, source('y'))
    await session.seal()
    await store.sweep()
    expect(await session.commit()).toMatchObject({ size: 2 })
  })
})

describe('verify', () => {
  it('finds nothing where nothing is wrong, and reads shared bytes once', async () => {
    const store = createFsStore(await temporaryDirectory())
    await store.put('a', source('same'))
    await store.put('b', source('same'))
    await store.put('empty', source())
    expect(await store.verify()).toEqual({
      intact: 3,
      bytes: 4,
      repaired: [],
      quarantined: [],
      inQuarantine: 0,
      foreign: [],
    })
  })

  it('quarantines all objects that share changed bytes, and lets them be stored again', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    await store.put('a', source('same'))
    await store.put('b', source('same'))
    await store.put('c', source('other'))
    const path = (await below(directory, 'digests')).at(0) ?? ''
    const damaged =
      (await readFile(path, 'utf8')) === 'same' ? path : ((await below(directory, 'digests'))[1] ?? '')
    await chmod(damaged, 0o600)
    await writeFile(damaged, 'sAme')
    const { intact, quarantined, inQuarantine } = await store.verify()
    expect([intact, inQuarantine]).toEqual([1, 0])
    expect(quarantined.map(({ key }) => key).sort()).toEqual(['a', 'b'])
    for (const { reason, files } of quarantined) {
      expect(reason).toMatch(/sha-256/)
      expect(files).toHaveLength(2)
      for (const file of files) expect((await stat(join(directory, file))).isFile()).toBe(true)
    }
    expect(await store.get('a')).toBeNull()
    expect((await store.list()).items.map(({ key }) => key)).toEqual(['c'])
    await store.put('a', source('same'))
    expect(String(await bytesOf((await (await store.get('a'))?.stream()) ?? source()))).toBe('same')
    expect(await store.verify()).toMatchObject({ intact: 2, quarantined: [], inQuarantine: 4 })
    expect(await store.sweep()).toMatchObject({ blobs: 0, digests: 0 })
  })

  it('reports missing or truncated bytes, and unreadable records with the blob that they name', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    await store.put('short', source('short'))
    const [short = ''] = await below(directory, 'blobs')
    await chmod(short, 0o600)
    await truncate(short, 2)
    await store.put('damaged', source('x'))
    const records = await below(directory, 'records')
    for (const record of records) {
      const text = await readFile(record, 'utf8')
      if (text.includes('"damaged"')) await writeFile(record, text.slice(0, 60))
    }
    const { quarantined } = await store.verify()
    expect(quarantined).toHaveLength(2)
    expect(quarantined.find(({ key }) => key === 'short')?.reason).toMatch(/has 2 bytes, and had 5/)
    const unreadable = quarantined.find(({ key }) => key === null)
    expect(unreadable?.reason).toBe('Its record cannot be read.')
    expect(unreadable?.files).toHaveLength(2)
    expect(await store.verify()).toMatchObject({ quarantined: [] })
    expect(await store.sweep()).toMatchObject({ damaged: 0, blobs: 0 })
  })
})

describe('verify, when bytes cannot be read', () => {
  it('reports that object and checks the others', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    await store.put('a', source('a'))
    const [blob = ''] = await below(directory, 'blobs')
    const [digest = ''] = await below(directory, 'digests')
    await store.put('b', source('b'))
    await rm(digest)
    await rm(blob)
    await mkdir(blob)
    const { intact, quarantined } = await store.verify()
    expect(intact).toBe(1)
    expect(quarantined).toMatchObject([{ key: 'a', reason: 'Its blob is not a regular file.' }])
  })
})

describe('hard links that cannot be made', () => {
  it('cost the sharing, not the upload: a digest that is a directory', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    const { digest } = await store.put('a', source('same'))
    await store.delete('a')
    await mkdir(join(directory, 'digests', digest.slice(0, 2), digest))
    await store.put('a', source('same'))
    await store.put('b', source('same'))
    expect(await store.verify()).toMatchObject({ intact: 2 })
  })

  it('cost the sharing, not the upload: a file with as many links as there can be', async () => {
    const directory = await temporaryDirectory()
    const store = createFsStore(directory)
    const { digest } = await store.put('a', source('same'))
    const shared = join(directory, 'digests', digest.slice(0, 2), digest)
    const links = await mkdtempBeside(directory)
    let made = 0
    try {
      for (; made < 70_000; made++) linkSync(shared, join(links, `${made}`))
    } catch {
      // The limit of this file system; where there is none, the file simply has many links.
    }
    expect(await store.put('b', source('same'))).toMatchObject({ size: 4 })
    expect(String(await bytesOf((await (await store.get('b'))?.stream()) ?? source()))).toBe('same')
  })
})

async function mkdtempBeside(directory: string): Promise<string> {
  const path = join(directory, 'links')
  await mkdir(path)
  return path
}
