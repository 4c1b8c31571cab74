import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chown,
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { createFsStore, type DamagedEntry, type FsStoreOptions, type UploadStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { runScript } from '../support/node-script.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { bytesOf, source } from './contract.ts'
import { filesIn } from './files.ts'

const ID = 'A'.repeat(22)

/** What may be found under the name of a file of the store. */
const FOREIGN: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  'a directory': (path) => mkdir(join(path, 'inner'), { recursive: true }),
  'a FIFO': (path) => promisify(execFile)('mkfifo', [path]),
  'a dangling link': (path) => symlink('nowhere', path),
  'a link to itself': (path) => symlink(path, path),
}
const KINDS = Object.keys(FOREIGN)

const place = (kind: string, path: string) => FOREIGN[kind]?.(path)

async function replaceBy(kind: string, path: string): Promise<void> {
  await rm(path, { recursive: true, force: true })
  await place(kind, path)
}

interface Opened {
  readonly directory: string
  readonly store: UploadStore
  /** Entries that the store has reported. */
  readonly damaged: DamagedEntry[]
  open(options?: FsStoreOptions): UploadStore
}

async function openStore(): Promise<Opened> {
  const directory = await temporaryDirectory()
  const damaged: DamagedEntry[] = []
  const reopen = (options: FsStoreOptions = {}) =>
    createFsStore(directory, { durability: 'none', ...options, onDamaged: (entry) => damaged.push(entry) })
  return { directory, store: reopen(), damaged, open: reopen }
}

/** The paths of all files in a folder of the store. */
async function below(directory: string, folder: string): Promise<string[]> {
  const names = await filesIn(directory)
  return names.filter((name) => name.startsWith(`${folder}/`)).map((name) => join(directory, name))
}

/** The path of the only record. */
async function recordIn(directory: string): Promise<string> {
  const [path = ''] = await below(directory, 'records')
  return path
}

async function textOf(store: UploadStore, key: string): Promise<string> {
  return String(await bytesOf((await (await store.get(key))?.stream()) ?? source()))
}

const keysOf = async (store: UploadStore) => (await store.list()).items.map(({ key }) => key)

const DAMAGES: readonly (readonly [string, (record: string) => Promise<unknown>])[] = [
  ['garbage', (record) => writeFile(record, '{')],
  ['no bytes', (record) => truncate(record, 0)],
  ['two gigabytes', (record) => truncate(record, 2 ** 31)],
  ...KINDS.map((kind) => [kind, (record: string) => replaceBy(kind, record)] as const),
]

describe('a record that is replaced by', () => {
  it.each(DAMAGES)('%s harms its own key only, which can be replaced and deleted', async (_, damage) => {
    const { directory, store, damaged, open } = await openStore()
    await store.put('a', source('a'))
    const record = await recordIn(directory)
    await store.put('b', source('b'))
    await damage(record)
    await expect(store.get('a')).rejects.toMatchObject({ code: 'CORRUPT' })
    await expect(store.get('a')).rejects.toMatchObject({ code: 'CORRUPT' })
    expect(await keysOf(store)).toEqual(['b'])
    expect(await keysOf(open())).toEqual(['b'])
    await store.recover()
    expect(await store.sweep()).toMatchObject({ damaged: 1, blobs: 0 })
    expect(await textOf(store, 'b')).toBe('b')
    expect(damaged.filter(({ entry }) => join(directory, entry) === record)).toHaveLength(2)
    await store.put('a', source('new'), { ifNoneMatch: '*' })
    expect(await textOf(store, 'a')).toBe('new')
    await damage(record)
    expect(await store.delete('a')).toBe(true)
    expect(await store.get('a')).toBeNull()
    expect(await keysOf(store)).toEqual(['b'])
  })

  it.each(DAMAGES)('%s is reported by verify, and put into quarantine', async (_, damage) => {
    const { directory, store } = await openStore()
    await store.put('a', source('a'))
    await damage(await recordIn(directory))
    const { quarantined } = await store.verify()
    expect(quarantined).toMatchObject([{ key: null, reason: 'Its record cannot be read.' }])
    expect(await store.get('a')).toBeNull()
    expect(await store.verify()).toMatchObject({ quarantined: [] })
  })
})

describe('a shard of records that is replaced by', () => {
  it.each(['a file', ...KINDS.slice(1)])('%s harms its own keys only', async (kind) => {
    const { directory, store, damaged, open } = await openStore()
    await store.put('a', source('a'))
    const shard = dirname(await recordIn(directory))
    await store.put('b', source('b'))
    const damage = async () => {
      await rm(shard, { recursive: true, force: true })
      await (kind === 'a file' ? writeFile(shard, '') : place(kind, shard))
    }
    await damage()
    await expect(store.get('a')).rejects.toMatchObject({ code: 'CORRUPT' })
    expect(await keysOf(open())).toEqual(['b'])
    expect(await store.sweep()).toMatchObject({ blobs: 0 })
    expect(damaged.map(({ entry }) => entry.split('/')[0])).toContain('records')
    expect((await store.verify()).quarantined).toHaveLength(1)
    await store.put('a', source('new'))
    expect(await textOf(store, 'a')).toBe('new')
    expect(await keysOf(store)).toEqual(['a', 'b'])
    await damage()
    expect(await store.delete('a')).toBe(true)
    expect(await store.get('a')).toBeNull()
  })
})

describe('a foreign entry', () => {
  const NAMES = [
    '@eaDir',
    `${ID}.json`,
    `${ID}.part`,
    `${ID}.lock`,
    `${ID}.fence`,
    `${ID}.record`,
    `x.${ID}.next`,
  ]

  it.each(KINDS.flatMap((kind) => NAMES.map((name) => [kind, name] as const)))(
    'in staging/, %s %s, is left alone, and recover and sweep go past it',
    async (kind, name) => {
      const { directory, store, damaged, open } = await openStore()
      const path = join(directory, 'staging', name)
      await place(kind, path)
      const session = await store.createUpload('a')
      await session.append(0, source('x'))
      await session.pause()
      const reopened = open({ expireAfter: 0, ownerTimeout: 0 })
      expect(await reopened.recover()).toMatchObject({ paused: 1 })
      expect(await reopened.sweep()).toMatchObject({ expired: 1 })
      // A symbolic link is what the store makes of a claim.
      if (name.endsWith('.fence') && kind.includes('link')) return
      expect(await lstat(path)).toBeDefined()
      expect(damaged).toEqual([{ entry: `staging/${name}`, reason: 'It is not a file of the store.' }])
    },
  )

  it.each(KINDS)('in the place of the manifest, %s, leaves the bytes of its upload alone', async (kind) => {
    const { directory, store } = await openStore()
    const session = await store.createUpload('a')
    await session.append(0, source('x'))
    await session.pause()
    await replaceBy(kind, join(directory, 'staging', `${session.id}.json`))
    expect(await store.recover()).toMatchObject({ busy: 1, discarded: 0 })
    await expect(store.interruptUpload(session.id)).rejects.toMatchObject({ code: 'CORRUPT' })
    expect((await lstat(join(directory, 'staging', `${session.id}.part`))).size).toBe(1)
  })

  it.each(KINDS)('in the place of the bytes, %s, stops no other upload', async (kind) => {
    const { directory, store } = await openStore()
    const session = await store.createUpload('a')
    await session.append(0, source('x'))
    await session.pause()
    await replaceBy(kind, join(directory, 'staging', `${session.id}.part`))
    await store.recover()
    await expect(store.resumeUpload(session.id)).rejects.toMatchObject({ code: 'CORRUPT' })
    expect(await store.put('b', source('b'))).toMatchObject({ size: 1 })
  })

  it.each(KINDS.slice(0, 2))(
    'in the place of a claim, %s, does not hang who resumes the upload',
    async (kind) => {
      const { directory, store } = await openStore()
      const session = await store.createUpload('a')
      await session.append(0, source('x'))
      await session.pause()
      await place(kind, join(directory, 'staging', `${session.id}.fence`))
      expect(await (await store.resumeUpload(session.id))?.commit()).toMatchObject({ size: 1 })
    },
  )

  it.each(KINDS)('in the place of the lock of a key, %s, holds nothing', async (kind) => {
    const { directory, store } = await openStore()
    await store.put('a', source('a'))
    const name = (await recordIn(directory)).replace(/^.*\/|\.json$/g, '')
    await place(kind, join(directory, 'staging', `${name}.lock`))
    await store.put('a', source('new'))
    expect(await textOf(store, 'a')).toBe('new')
  })

  it('in owners/ is left alone, a file of a file manager too', async () => {
    const { directory, damaged, open } = await openStore()
    const names = ['.DS_Store', '@eaDir', ID]
    await writeFile(join(directory, 'owners', '.DS_Store'), '')
    await place('a directory', join(directory, 'owners', '@eaDir'))
    await place('a FIFO', join(directory, 'owners', ID))
    const store = open({ ownerTimeout: 0 })
    await store.recover()
    await store.sweep()
    expect(await readdir(join(directory, 'owners'))).toEqual(expect.arrayContaining(names))
    expect(damaged.map(({ entry }) => entry).toSorted()).toEqual(
      names.map((name) => `owners/${name}`).toSorted(),
    )
  })

  it.each(KINDS)('among blobs and digests, %s, is skipped by sweep', async (kind) => {
    const { directory, store } = await openStore()
    await store.put('a', source('a'))
    const [blob = ''] = await below(directory, 'blobs')
    // Not the shard of the object's own blob, whose id is random.
    const free = basename(dirname(blob)) === '01' ? '02' : '01'
    for (const [folder, name] of [
      ['blobs', ID],
      ['digests', '0'.repeat(64)],
    ] as const) {
      await mkdir(join(directory, folder, '00'), { recursive: true })
      await place(kind, join(directory, folder, '00', name))
      await place(kind, join(directory, folder, free))
    }
    expect(await store.sweep()).toMatchObject({ blobs: 0, digests: 0 })
    expect(await textOf(store, 'a')).toBe('a')
  })

  it.each(KINDS)(
    'in the place of a blob, %s, does not make sweep remove the last link to its bytes',
    async (kind) => {
      const { directory, store } = await openStore()
      await store.put('a', source('a'))
      const [blob = ''] = await below(directory, 'blobs')
      await replaceBy(kind, blob)
      expect(await store.sweep()).toMatchObject({ blobs: 0, digests: 0 })
      expect((await store.verify()).repaired.map(({ key }) => key)).toEqual(['a'])
      expect(await textOf(store, 'a')).toBe('a')
    },
  )

  it.each(KINDS)('in the place of a folder of blobs, %s, costs no object its last bytes', async (kind) => {
    const { directory, store } = await openStore()
    await store.put('a', source('a'))
    const [blob = ''] = await below(directory, 'blobs')
    await replaceBy(kind, dirname(blob))
    expect(await store.sweep()).toMatchObject({ blobs: 0, digests: 0 })
    await rm(dirname(blob), { recursive: true, force: true })
    expect((await store.verify()).repaired.map(({ key }) => key)).toEqual(['a'])
    expect(await textOf(store, 'a')).toBe('a')
  })

  it.each(KINDS)('in the place of a blob, %s, makes its object CORRUPT and no other', async (kind) => {
    const { directory, store, damaged } = await openStore()
    await store.put('a', source('a'))
    const [blob = ''] = await below(directory, 'blobs')
    await store.put('b', source('b'))
    await replaceBy(kind, blob)
    const content = await store.get('a')
    const opening = content?.stream()
    await expect(opening).rejects.toMatchObject({ code: 'CORRUPT' })
    expect(damaged.map(({ entry }) => join(directory, entry))).toEqual([blob])
    expect(await textOf(store, 'b')).toBe('b')
    // Its digest link has the bytes.
    expect((await store.verify()).repaired.map(({ key }) => key)).toEqual(['a'])
    expect(await textOf(store, 'a')).toBe('a')
  })

  it('in the place of half of all shards of blobs fails no upload', async () => {
    const { directory, store } = await openStore()
    const shards = Array.from({ length: 128 }, (_, index) => index.toString(16).padStart(2, '0'))
    await Promise.all(shards.map((shard) => writeFile(join(directory, 'blobs', shard), '')))
    for (let index = 0; index < 10; index++) await store.put(`key ${index}`, source('x'))
    expect(await keysOf(store)).toHaveLength(10)
  })

  it.each(['digests', 'quarantine'])(
    'in the place of %s/ stops neither uploads nor sweep',
    async (folder) => {
      const { directory, store } = await openStore()
      await rm(join(directory, folder), { recursive: true, force: true })
      await writeFile(join(directory, folder), '')
      await store.put('a', source('a'))
      await store.put('b', source('a'))
      if (folder === 'quarantine') await store.sweep()
      expect(await textOf(store, 'b')).toBe('a')
    },
  )

  it.each(KINDS.filter((kind) => kind !== 'a dangling link'))(
    'in the place of FORMAT, %s, is refused at once',
    async (kind) => {
      const { directory, open } = await openStore()
      await replaceBy(kind, join(directory, 'FORMAT'))
      expect(() => open()).toThrow(/FORMAT names no layout/)
    },
  )
})

describe('a record whose fields', () => {
  it.each([
    ['name another key', { key: 'b' }],
    ['have a key that is none', { key: '../a' }],
    ['have a negative size', { size: -1 }],
    ['have a size with a fraction', { size: 0.5 }],
    ['have a size as text', { size: '1' }],
    ['have a size that is too large to be exact', { size: 2 ** 60 }],
    ['have a type that would split a header', { type: 'video/mp4\r\nSet-Cookie: a=b' }],
    ['have a type that is none', { type: 'nonsense' }],
    ['have a type that is a number', { type: 5 }],
    ['have no date', { created: 'yesterday' }],
    ['have a date as a number', { created: 0 }],
    ['have a digest that is a path', { digest: '../../etc/passwd' }],
    ['have a blob that is a path', { blob: '../../../etc/passwd' }],
  ])('%s is CORRUPT and not listed', async (_, fields) => {
    const { directory, store } = await openStore()
    await store.put('a', source('a'))
    const record = await recordIn(directory)
    const before: object = JSON.parse(await readFile(record, 'utf8'))
    await writeFile(record, JSON.stringify({ ...before, ...fields }))
    await expect(store.get('a')).rejects.toMatchObject({ code: 'CORRUPT' })
    expect(await keysOf(store)).toEqual([])
  })

  it('are those of a later version is read', async () => {
    const { directory, store } = await openStore()
    await store.put('a', source('a'))
    const record = await recordIn(directory)
    const before: object = JSON.parse(await readFile(record, 'utf8'))
    await writeFile(record, JSON.stringify({ ...before, metadata: { title: 'A' } }))
    expect(await textOf(store, 'a')).toBe('a')
  })

  it('are a copy of another one is not listed, and verify leaves the object of the other one alone', async () => {
    const { directory, store } = await openStore()
    await store.put('a', source('a'))
    const record = await recordIn(directory)
    const copy = join(directory, 'records', '00', `${'0'.repeat(64)}.json`)
    await mkdir(dirname(copy), { recursive: true })
    await cp(record, copy)
    expect(await keysOf(store)).toEqual(['a'])
    expect((await store.verify()).quarantined).toHaveLength(1)
    expect(await textOf(store, 'a')).toBe('a')
  })
})

describe('a declared type', () => {
  it('that no header can have is stored as application/octet-stream', async () => {
    const { store } = await openStore()
    await store.put('a', source('a'), { type: 'video/mp4\r\nSet-Cookie: a=b' })
    expect(await store.get('a')).toMatchObject({ type: 'application/octet-stream' })
  })
})

describe('beside a damaged record, sweep', () => {
  /** A blob that no record names, last written `age` ms ago. */
  async function orphan(directory: string, id: string, age: number): Promise<string> {
    const path = join(directory, 'blobs', Buffer.from(id.slice(0, 2), 'base64url').toString('hex'), id)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, 'orphan')
    const time = new Date(Date.now() - age)
    await utimes(path, time, time)
    return path
  }

  it('removes every orphan but the blob that the record still names', async () => {
    const { directory, store } = await openStore()
    await store.put('a', source('precious'))
    const record = await recordIn(directory)
    await truncate(record, (await readFile(record, 'utf8')).indexOf('"size"'))
    await orphan(directory, ID, 60_000)
    expect(await store.sweep()).toMatchObject({ damaged: 1, blobs: 1 })
    expect(await readFile((await below(directory, 'blobs'))[0] ?? '', 'utf8')).toBe('precious')
  })

  it('removes orphans that are newer than a record of which nothing is legible', async () => {
    const { directory, store } = await openStore()
    await store.put('a', source('precious'))
    await writeFile(await recordIn(directory), '{')
    const old = await orphan(directory, ID, 60_000)
    const newer = await orphan(directory, 'B'.repeat(22), -60_000)
    expect(await store.sweep()).toMatchObject({ damaged: 1, blobs: 1 })
    expect(await below(directory, 'blobs')).toContain(old)
    expect(await below(directory, 'blobs')).not.toContain(newer)
    expect(await below(directory, 'blobs')).toHaveLength(2)
  })

  it('keeps those bytes until the quarantine is emptied, after verify and after a new upload too', async () => {
    const { directory, store } = await openStore()
    await store.put('a', source('precious'))
    const record = await recordIn(directory)
    await writeFile(record, '{')
    await store.verify()
    await store.put('a', source('second'))
    await writeFile(record, '{')
    await store.put('a', source('third'))
    expect(await store.sweep()).toMatchObject({ damaged: 0, blobs: 0 })
    expect(await below(directory, 'quarantine')).toHaveLength(2)
    for (const path of await below(directory, 'quarantine')) await rm(path)
    expect(await store.sweep()).toMatchObject({ blobs: 2 })
    expect(await textOf(store, 'a')).toBe('third')
  })

  it('keeps the last link to the bytes of an object whose blob is missing', async () => {
    const { directory, store } = await openStore()
    await store.put('a', source('precious'))
    await rm((await below(directory, 'blobs'))[0] ?? '')
    expect(await store.sweep()).toMatchObject({ digests: 0 })
    expect(await readFile((await below(directory, 'digests'))[0] ?? '', 'utf8')).toBe('precious')
  })
})

describe('a store whose directory', () => {
  it('is gone is UNAVAILABLE, not empty, and works again when it is back', async () => {
    const { directory, store } = await openStore()
    await store.put('a', source('a'))
    const content = await store.get('a')
    await rename(directory, `${directory}-away`)
    const attempts = [
      store.get('a'),
      store.get('b'),
      store.list(),
      store.put('b', source('b')),
      store.delete('a'),
      store.checkSpace(1),
      store.sweep(),
      content?.stream(),
      store.getUpload(ID),
      store.interruptUpload(ID),
      store.resumeUpload(ID),
      store.deleteUpload(ID),
    ]
    for (const attempt of await Promise.allSettled(attempts))
      expect(attempt).toMatchObject({ reason: { code: 'UNAVAILABLE' } })
    await rename(`${directory}-away`, directory)
    expect(await textOf(store, 'a')).toBe('a')
    await store.put('b', source('b'))
    expect(await keysOf(store)).toEqual(['a', 'b'])
  })

  it('has lost a folder of records takes uploads for it again', async () => {
    const { directory, store } = await openStore()
    await store.put('a', source('a'))
    await rm(dirname(await recordIn(directory)), { recursive: true })
    expect(await store.get('a')).toBeNull()
    await store.put('a', source('again'))
    expect(await textOf(store, 'a')).toBe('again')
  })

  it('has lost all records is refused, so that no sweep removes all bytes', async () => {
    const { directory, store, open } = await openStore()
    await store.put('a', source('a'))
    await rm(join(directory, 'records'), { recursive: true })
    expect(() => open()).toThrow(/records is missing/)
    expect(await below(directory, 'blobs')).toHaveLength(1)
  })
})

// Permissions do not hold for root, which gives its rights away here.
describe.runIf(process.getuid?.() === 0)('an entry that may not be read', () => {
  it('harms its own key only', async () => {
    const { directory, store } = await openStore()
    await store.put('a', source('a'))
    const record = await recordIn(directory)
    await store.put('b', source('b'))
    const all = await readdir(directory, { recursive: true })
    for (const name of ['', ...all]) await chown(join(directory, name), 65534, 65534)
    const script = runScript(
      `const { chmodSync } = await import('node:fs')
       process.seteuid(65534)
       const code = (work) => work.then(() => 'done', ({ code }) => code)
       const keys = async () => (await store.list()).items.map(({ key }) => key)
       chmodSync(rest[0], 0)
       say([await code(store.get('a')), await keys(), (await store.sweep()).blobs])
       say((await store.verify()).quarantined[0].files)
       await store.put('a', bytes('new'))
       say([(await store.get('a')).size, await keys()])
       chmodSync(rest[1], 0)
       say([await code(store.get('a')), await keys(), (await store.sweep()).blobs])
       process.exit()`,
      directory,
      record,
      dirname(record),
    )
    expect(await script.next()).toEqual(['CORRUPT', ['b'], 0])
    expect(await script.next()).toEqual([record.slice(directory.length + 1)])
    expect(await script.next()).toEqual([3, ['a', 'b']])
    expect(await script.next()).toEqual(['CORRUPT', ['b'], 0])
  })
})

describe('a record that names the blob of another key', () => {
  const USES: readonly (readonly [string, (store: UploadStore) => Promise<unknown>])[] = [
    ['its key is replaced', (store) => store.put('a', source('new'))],
    ['its key is deleted', (store) => store.delete('a')],
    ['verify checks it', (store) => store.verify()],
    [
      'sweep runs after its key is deleted',
      async (store) => {
        await store.delete('a')
        await store.sweep()
      },
    ],
  ]

  it.each(USES.flatMap(([use, act]) => ['b of another size', 'b'].map((text) => [text, use, act] as const)))(
    'leaves the bytes of that key (%s) when %s',
    async (text, _, act) => {
      const { directory, store, open } = await openStore()
      await store.put('a', source('a'))
      const path = await recordIn(directory)
      await store.put('b', source(text))
      const { immutableFile } = (await store.get('b')) ?? {}
      const fields: unknown = JSON.parse(await readFile(path, 'utf8'))
      const blob = basename(immutableFile ?? '')
      await writeFile(path, JSON.stringify(Object.assign({}, fields, { blob })))
      await act(open())
      expect(await textOf(open(), 'b')).toBe(text)
    },
  )
})

describe('a record with a field that the store never writes', () => {
  it.each([
    ['no size for bytes that exist', { size: 0 }],
    ['the digest of no bytes', { digest: createHash('sha256').digest('hex') }],
    ['a type that is too long for a header field', { type: `video/${'x'.repeat(20_000)}` }],
  ])('is damaged: %s', async (_, change) => {
    const { directory, store, open } = await openStore()
    await store.put('a', source('a'))
    const path = await recordIn(directory)
    const fields: unknown = JSON.parse(await readFile(path, 'utf8'))
    await writeFile(path, JSON.stringify(Object.assign({}, fields, change)))
    await expect(open().get('a')).rejects.toMatchObject({ code: 'CORRUPT' })
    await store.put('a', source('new'), { ifNoneMatch: '*' })
    expect(await textOf(store, 'a')).toBe('new')
  })

  it('is never written: a declared type that is too long for a header field is stored as unknown', async () => {
    const { store } = await openStore()
    const { type } = await store.put('a', source('a'), { type: `video/${'x'.repeat(20_000)}` })
    expect(type).toBe('application/octet-stream')
  })
})

describe('under maxTotalSize', () => {
  it.each(KINDS)('%s with the name of an upload or a blob refuses no upload', async (kind) => {
    const { directory, store, open } = await openStore()
    await store.put('a', source('a'))
    const [blob = ''] = await below(directory, 'blobs')
    await place(kind, join(directory, 'staging', `${ID}.part`))
    await place(kind, join(dirname(blob), ID))
    const limited = open({ maxTotalSize: 10 })
    await limited.put('b', source('b'))
    expect(await textOf(limited, 'b')).toBe('b')
  })
})
