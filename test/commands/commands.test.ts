import { createHash, randomBytes } from 'node:crypto'
import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { createFsStore } from 'upload-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { REPOSITORY, ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { linesOf, outcomeOf, runCommand, startCommand } from './run-command.ts'

const VIDEO = await readFile(join(REPOSITORY, 'apps/server/assets/video/sample.mp4'))
const FERRY = new Date('2019-07-14T10:30:00Z')

/** A video that differs from all others. */
const videoOf = (text: string) => Buffer.concat([VIDEO, Buffer.from(text)])

/** A folder as an operator has it: videos of equal names in several folders, captions, and files of other kinds. */
async function folderOfVideos(): Promise<string> {
  const folder = join(await temporaryDirectory(), 'My videos')
  await mkdir(join(folder, 'a'), { recursive: true })
  await mkdir(join(folder, 'b', 'deep'), { recursive: true })
  await writeFile(join(folder, 'a', 'ferry.mp4'), videoOf('one'))
  await utimes(join(folder, 'a', 'ferry.mp4'), FERRY, FERRY)
  await writeFile(join(folder, 'a', 'ferry.mp4.de.vtt'), 'WEBVTT\n\none')
  await writeFile(join(folder, 'b', 'deep', 'ferry.mp4'), videoOf('two'))
  await writeFile(join(folder, 'b', 'deep', 'ferry.mp4.de.vtt'), 'WEBVTT\n\ntwo')
  await writeFile(join(folder, 'notes.txt'), 'no video')
  await writeFile(join(folder, '.DS_Store'), 'hidden')
  await symlink('a/ferry.mp4', join(folder, 'link.mp4'))
  return folder
}

/** All files of a store, with their contents. */
async function stateOf(directory: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.endsWith('owners'))
  const hashes = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name)
    return [
      path,
      createHash('md5')
        .update(await readFile(path))
        .digest('hex'),
    ] as const
  })
  return new Map(await Promise.all(hashes))
}

async function filledStore(count: number): Promise<string> {
  const data = join(await temporaryDirectory(), 'data')
  const store = createFsStore(data, { companions: true })
  for (let number = 0; number < count; number++) {
    const metadata = { title: `Video ${number}`, rating: number }
    const options = { type: 'video/mp4', lastModified: 1_600_000_000_000 + number * 1000, metadata }
    await store.put(`${number}.mp4`, Readable.from([randomBytes(2000 + number)]), options)
  }
  await store.close()
  return data
}

const SAMPLE = join(REPOSITORY, 'apps/server/assets/video/sample.mp4')

describe('the program', () => {
  it.each([
    [['imprt', 'x'], /^There is no command "imprt"\. Did you mean import\?/],
    [['import'], /^import needs at least one file or folder/],
    [['export'], /^export needs one folder/],
    [['list', '--order', 'date'], /^--order date is not an order\. Use key, name, newest, largest\.$/m],
    [['verify', '--unknown'], /^Unknown option '--unknown'\. verify --help lists the flags\.$/m],
    [['copy', '--data', 'x'], /^copy needs the other store/],
    [['copy', '--data', 'x', '--to-data', './x/../x'], /^copy needs two stores/],
  ])('exits with 2 and one line for %j', async (args, message) => {
    const { code, stdout, stderr } = await runCommand(...args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it('lists its commands and flags with -h, and explains a command with --help', async () => {
    const all = await runCommand('-h')
    expect([all.code, all.stdout]).toEqual([
      0,
      expect.stringMatching(/^ {2}import PATH… .*\n[\s\S]*--max-file-size/m),
    ])
    const one = await runCommand('import', '--help')
    expect([one.code, one.stdout]).toEqual([
      0,
      expect.stringMatching(/^Usage: koa-range-server import PATH…[\s\S]*--link/),
    ])
  })

  it('refuses to serve a folder of other files, and shows the line that imports them', async () => {
    const folder = await folderOfVideos()
    const { code, stderr } = await runCommand('--data', folder, '--port', '0')
    expect(code).toBe(2)
    expect(stderr).toContain(`koa-range-server import '${folder}' --data '${folder}-store'`)
    expect(await readdir(folder)).not.toContain('records')
  })

  it.each(['lost+found', '@eaDir', '.hidden'])('serves an empty folder that has %s', async (name) => {
    const folder = await temporaryDirectory()
    await mkdir(join(folder, name))
    expect((await runCommand('import', SAMPLE, '--data', folder)).code).toBe(0)
  })
})

describe('a command', () => {
  it.each(['verify', 'list', 'sweep', 'export'])(
    'exits with 2 and creates nothing if the store does not exist: %s',
    async (command) => {
      const directory = await temporaryDirectory()
      const data = join(directory, 'bakcup')
      const operands = command === 'export' ? [join(directory, 'out')] : []
      const { code, stderr } = await runCommand(command, ...operands, '--data', data)
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining(`--data ${data} does not exist. Check the path`),
      ])
      expect(await readdir(directory)).toEqual([])
    },
  )

  it.skipIf(process.getuid?.() !== 0)(
    'refuses to write as root to the store of another user, who could not read the files',
    async () => {
      const data = await filledStore(1)
      await chown(data, 65_534, 65_534)
      for (const command of ['verify', 'sweep', 'import']) {
        const operands = command === 'import' ? [join(REPOSITORY, 'README.md')] : []
        const { code, stderr } = await runCommand(command, ...operands, '--data', data)
        expect([code, stderr]).toEqual([2, expect.stringContaining("sudo -u '#65534'")])
      }
    },
  )
})

describe('import', () => {
  it('imports folders at any depth, with dates and captions, and lists what it refuses', async () => {
    const [folder, data] = [await folderOfVideos(), join(await temporaryDirectory(), 'data')]
    const first = await runCommand('import', folder, '--data', data, '--json')
    expect(first.code).toBe(1)
    const refused = linesOf(first).filter(({ status }) => status === 'refused')
    expect(refused.map(({ path }) => path)).toEqual([join(folder, 'link.mp4'), join(folder, 'notes.txt')])
    const store = createFsStore(data)
    expect((await store.list()).items.map(({ key }) => key)).toEqual([
      'ferry-2.mp4',
      'ferry-2.mp4.de.vtt',
      'ferry.mp4',
      'ferry.mp4.de.vtt',
    ])
    const ferry = await store.get('ferry.mp4')
    expect([ferry?.lastModified, ferry?.type, ferry?.size]).toEqual([
      FERRY.getTime(),
      'video/mp4',
      VIDEO.length + 3,
    ])
    await store.close()
  })

  it('changes nothing if it is run again, also with --checksum', async () => {
    const [folder, data] = [await folderOfVideos(), join(await temporaryDirectory(), 'data')]
    await runCommand('import', folder, '--data', data)
    const before = await stateOf(data)
    for (const flags of [[], ['--checksum']]) {
      const again = await runCommand('import', folder, '--data', data, '--json', ...flags)
      expect(linesOf(again).at(-1)).toMatchObject({ imported: 0, unchanged: 4, refused: 2 })
      expect(await stateOf(data)).toEqual(before)
    }
  })

  it('imports videos with equal names, sizes and dates in two folders, and finds both again', async () => {
    const [folder, data] = [await temporaryDirectory(), join(await temporaryDirectory(), 'data')]
    const files = [join(folder, 'a', 'clip.mp4'), join(folder, 'b', 'clip.mp4')]
    for (const [at, path] of files.entries()) {
      await mkdir(join(path, '..'))
      // They differ only behind the beginning, which is compared.
      await writeFile(path, Buffer.concat([VIDEO, Buffer.alloc(100_000), Buffer.from(`${at}`)]))
      await utimes(path, FERRY, FERRY)
    }
    for (const expected of [{ imported: 2 }, { imported: 0, unchanged: 2 }]) {
      const outcome = await runCommand('import', folder, '--data', data, '--json')
      expect(linesOf(outcome).at(-1)).toMatchObject(expected)
    }
    const store = createFsStore(data)
    const digests = (await store.list()).items.map(({ digest }) => digest)
    expect(new Set(digests).size).toBe(2)
    await store.close()
  })

  it.each(['the same date', 'another date'])(
    'imports a video once that is in two folders, with %s, and keeps the date of the first',
    async (date) => {
      const [folder, data] = [await temporaryDirectory(), join(await temporaryDirectory(), 'data')]
      const dates = { a: FERRY, b: date === 'another date' ? new Date('2024-01-01T00:00:00Z') : FERRY }
      for (const [name, at] of Object.entries(dates)) {
        const path = join(folder, name, 'clip.mp4')
        await mkdir(join(folder, name))
        await writeFile(path, VIDEO)
        await utimes(path, at, at)
      }
      for (const expected of [
        { imported: 1, unchanged: 1 },
        { imported: 0, unchanged: 2 },
      ]) {
        const outcome = await runCommand('import', folder, '--data', data, '--json')
        expect(linesOf(outcome).at(-1)).toMatchObject(expected)
      }
      const listed = linesOf(await runCommand('list', '--data', data, '--json'))
      expect(listed).toMatchObject([{ key: 'clip.mp4' }])
      const store = createFsStore(data)
      expect((await store.get('clip.mp4'))?.lastModified).toBe(FERRY.getTime())
      await store.close()
    },
  )

  it('imports a video that differs from a stored one of the same name, size and date', async () => {
    const [folder, data] = [await temporaryDirectory(), join(await temporaryDirectory(), 'data')]
    const path = join(folder, 'clip.mp4')
    for (const text of ['one', 'two']) {
      await writeFile(path, videoOf(text))
      await utimes(path, FERRY, FERRY)
      expect((await runCommand('import', path, '--data', data)).code).toBe(0)
    }
    const listed = linesOf(await runCommand('list', '--data', data, '--json'))
    expect(listed.map(({ key }) => key)).toEqual(['clip-2.mp4', 'clip.mp4'])
  })

  it('stops at SIGINT within a long file, of which nothing remains', async () => {
    const [folder, data] = [await temporaryDirectory(), join(await temporaryDirectory(), 'data')]
    await writeFile(join(folder, 'a.mp4'), VIDEO)
    await writeFile(join(folder, 'b.mp4'), VIDEO)
    await truncate(join(folder, 'b.mp4'), 20 * 1024 ** 3)
    const child = startCommand(['import', folder, '--data', data, '--max-file-size', '40GiB'])
    const outcome = outcomeOf(child)
    child.stdout?.once('data', () => child.kill('SIGINT'))
    expect(await outcome).toMatchObject({
      code: 130,
      stdout: expect.stringContaining('1 imported, 0 unchanged, 0 refused'),
    })
    expect(await readdir(join(data, 'staging'))).toEqual([])
  })

  it('keeps the holes of a sparse file', async () => {
    const [folder, data] = [await temporaryDirectory(), join(await temporaryDirectory(), 'data')]
    await writeFile(join(folder, 'long.mp4'), VIDEO)
    await truncate(join(folder, 'long.mp4'), 200 * 1024 ** 2)
    expect((await runCommand('import', folder, '--data', data)).code).toBe(0)
    const [content] = (await readdir(join(data, 'blobs'), { recursive: true })).filter(
      (name) => name.length > 10,
    )
    const { size, blocks } = await stat(join(data, 'blobs', content ?? ''))
    expect(size).toBe(200 * 1024 ** 2)
    expect(blocks * 512).toBeLessThan(4 * 1024 ** 2)
  })

  it('links files with --link, and warns', async () => {
    const [folder, data] = [await temporaryDirectory(), join(await temporaryDirectory(), 'data')]
    await writeFile(join(folder, 'a.mp4'), VIDEO)
    const { code, stderr } = await runCommand('import', '--link', join(folder, 'a.mp4'), '--data', data)
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^Do not write to the linked files any more/)])
    const { nlink } = await stat(join(folder, 'a.mp4'))
    expect(nlink).toBeGreaterThanOrEqual(2)
    expect(await readFile(join(folder, 'a.mp4'))).toEqual(VIDEO)
  })

  it('stops at SIGINT after the present file, and continues when it is run again', async () => {
    const [folder, data] = [await temporaryDirectory(), join(await temporaryDirectory(), 'data')]
    for (let number = 0; number < 60; number++)
      await writeFile(join(folder, `${number}.mp4`), videoOf(`${number}`))
    const child = startCommand(['import', folder, '--data', data])
    const outcome = outcomeOf(child)
    child.stdout?.once('data', () => child.kill('SIGINT'))
    const { code, stdout } = await outcome
    expect(code).toBe(130)
    expect(stdout).toMatch(/stopped: run the command again to continue/)
    const again = linesOf(await runCommand('import', folder, '--data', data, '--json')).at(-1)
    expect(Number(again?.['imported']) + Number(again?.['unchanged'])).toBe(60)
    expect(Number(again?.['unchanged'])).toBeGreaterThan(0)
  })
})

describe('export', () => {
  it('writes each object under its key with its date, and nothing if it is run again', async () => {
    const [data, target] = [await filledStore(3), await temporaryDirectory()]
    expect((await runCommand('export', target, '--data', data)).code).toBe(0)
    expect((await readdir(target)).sort()).toEqual(['0.mp4', '1.mp4', '2.mp4'])
    const { size, mtimeMs } = await stat(join(target, '2.mp4'))
    expect([size, Math.round(mtimeMs)]).toEqual([2002, 1_600_000_002_000])
    const again = await runCommand('export', target, '--data', data, '--json')
    expect(linesOf(again).at(-1)).toMatchObject({ exported: 0, unchanged: 3, failed: 0 })
  })

  it('removes drafts that a killed export left an hour ago', async () => {
    const [data, target] = [await filledStore(1), await temporaryDirectory()]
    const hourAgo = new Date(Date.now() - 61 * 60 * 1000)
    await writeFile(join(target, '.export-old'), 'draft')
    await utimes(join(target, '.export-old'), hourAgo, hourAgo)
    await writeFile(join(target, '.export-new'), 'draft of another process')
    expect((await runCommand('export', target, '--data', data)).code).toBe(0)
    expect((await readdir(target)).sort()).toEqual(['.export-new', '0.mp4'])
  })

  it('replaces no file with another content, except with --overwrite', async () => {
    const [data, target] = [await filledStore(2), await temporaryDirectory()]
    await writeFile(join(target, '1.mp4'), 'mine')
    const refused = await runCommand('export', target, '--data', data)
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/^failed 1\.mp4: .*--overwrite/m),
    ])
    expect(await readFile(join(target, '1.mp4'), 'utf8')).toBe('mine')
    expect((await runCommand('export', target, '--data', data, '--overwrite')).code).toBe(0)
    expect((await stat(join(target, '1.mp4'))).size).toBe(2001)
  })
})

describe('verify', () => {
  /** Damages one object of a store, given the paths of its record and its blob. */
  const DAMAGES: readonly ((paths: { record: string; blob: string }) => Promise<void>)[] = [
    async ({ blob }) => {
      const bytes = await readFile(blob)
      bytes[1000] = (bytes[1000] ?? 0) ^ 1
      await rm(blob)
      await writeFile(blob, bytes)
    },
    ({ blob }) => truncate(blob, 100),
    ({ blob }) => rm(blob),
    ({ record }) => writeFile(record, '{"key":'),
    ({ record }) => writeFile(`${record.slice(0, -4)}foreign`, 'x'),
  ]

  it('finds every planted damage, keeps what is intact, and finds nothing more afterwards', async () => {
    const data = await filledStore(125)
    const records = (await readdir(join(data, 'records'), { recursive: true })).filter((name) =>
      name.endsWith('.json'),
    )
    // Without digest links, nothing can be repaired.
    await rm(join(data, 'digests'), { recursive: true })
    await mkdir(join(data, 'digests'))
    for (const [at, name] of records.slice(0, 100).entries()) {
      const record = join(data, 'records', name)
      const { blob } = JSON.parse(await readFile(record, 'utf8'))
      const shard = Buffer.from(blob.slice(0, 2), 'base64url').toString('hex')
      await DAMAGES[at % DAMAGES.length]?.({ record, blob: join(data, 'blobs', shard, blob) })
    }
    const found = await runCommand('verify', '--data', data, '--json')
    expect(found.code).toBe(1)
    const kinds = linesOf(found).map(({ status }) => status)
    expect(kinds.filter((status) => status === 'quarantined')).toHaveLength(80)
    expect(kinds.filter((status) => status === 'foreign')).toHaveLength(20)
    expect(linesOf(found).at(-1)).toMatchObject({ intact: 45, faults: 100 })
    for (const name of records.slice(0, 100))
      await rm(join(data, 'records', `${name.slice(0, -4)}foreign`), { force: true })
    const again = await runCommand('verify', '--data', data)
    expect([again.code, again.stdout]).toEqual([
      0,
      expect.stringMatching(/^45 intact, 0 repaired, 0 damaged, 0 foreign/),
    ])
  })

  it('reports in each later run that damaged files are still set aside', async () => {
    const data = await filledStore(2)
    const [name = ''] = (await readdir(join(data, 'blobs'), { recursive: true })).filter(
      (each) => each.length > 10,
    )
    // In place, so that the link to the same bytes in digests/ is damaged, too.
    await chmod(join(data, 'blobs', name), 0o600)
    await writeFile(join(data, 'blobs', name), 'damaged')
    expect((await runCommand('verify', '--data', data)).code).toBe(1)
    const { code, stderr } = await runCommand('verify', '--data', data)
    expect([code, stderr]).toEqual([0, expect.stringMatching(/quarantine\/ has \d+ files\. Restore/)])
  })

  it('writes a line of progress after every 30 seconds where standard error is not a terminal', async () => {
    const data = await filledStore(5)
    // A second for each microsecond.
    const fast = 'const now = performance.now.bind(performance); performance.now = () => now() * 1_000_000'
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fast)}` }
    const { code, stdout, stderr } = await outcomeOf(startCommand(['verify', '--data', data], env))
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^(?:verified \d+ videos, .+\n)+$/)])
    expect(stdout).not.toMatch(/^verified/m)
  })

  it('lets a running server serve meanwhile', async () => {
    const data = await filledStore(5)
    const server = new ServerProcess(['--port', '0', '--data', data])
    onTestFinished(async () => void (await server.stop('SIGKILL')))
    const url = await server.url()
    const [verified, response] = await Promise.all([
      runCommand('verify', '--data', data),
      fetch(`${url}/videos/3.mp4`),
    ])
    expect([verified.code, response.status, (await response.arrayBuffer()).byteLength]).toEqual([
      0, 200, 2003,
    ])
  })
})

describe('list', () => {
  it('prints one object per line with --json, and a sum without', async () => {
    const data = await filledStore(2)
    const json = linesOf(await runCommand('list', '--data', data, '--json', '--order', 'newest'))
    expect(json.map(({ key, size, metadata }) => [key, size, metadata])).toEqual([
      ['1.mp4', 2001, { title: 'Video 1', rating: 1 }],
      ['0.mp4', 2000, { title: 'Video 0', rating: 0 }],
    ])
    const { stdout } = await runCommand('list', '--data', data, '--contains', '1.MP4')
    expect(stdout).toMatch(/^2020-09-13 12:26 +2 KiB {2}1\.mp4\n1 video, 2 KiB\n$/)
  })
})

describe('sweep', () => {
  it('removes what belongs to nothing', async () => {
    const data = await filledStore(1)
    await mkdir(join(data, 'blobs', '00'), { recursive: true })
    await writeFile(join(data, 'blobs', '00', 'AAAAAAAAAAAAAAAAAAAAAA'), 'orphan')
    const { code, stdout } = await runCommand('sweep', '--data', data, '--json')
    expect([code, linesOf({ code, stdout, stderr: '' })[0]]).toMatchObject([0, { blobs: 1 }])
  })
})

describe('copy', () => {
  it('copies to another directory with dates and metadata, and nothing if it is run again', async () => {
    const [data, target] = [await filledStore(10), join(await temporaryDirectory(), 'copy')]
    const first = await runCommand('copy', '--data', data, '--to-data', target, '--json')
    expect(linesOf(first).at(-1)).toMatchObject({ copied: 10, unchanged: 0, failed: 0 })
    const [from, to] = [createFsStore(data), createFsStore(target)]
    expect((await to.list()).items).toEqual((await from.list()).items)
    await to.put('3.mp4', Readable.from([Buffer.from('other')]), { type: 'video/mp4' })
    await Promise.all([from.close(), to.close()])
    const again = await runCommand('copy', '--data', data, '--to-data', target, '--json')
    expect(again.code).toBe(1)
    expect(linesOf(again)).toMatchObject([
      { status: 'failed', key: '3.mp4', reason: expect.stringMatching(/--overwrite/) },
      { copied: 0, unchanged: 9, failed: 1 },
    ])
    expect((await runCommand('copy', '--data', data, '--to-data', target, '--overwrite')).code).toBe(0)
  })

  it('does not copy damaged bytes', async () => {
    const [data, target] = [await filledStore(2), join(await temporaryDirectory(), 'copy')]
    const [name = ''] = (await readdir(join(data, 'blobs'), { recursive: true })).filter(
      (each) => each.length > 10,
    )
    const path = join(data, 'blobs', name)
    const bytes = await readFile(path)
    await rm(path)
    await writeFile(path, bytes.fill(0))
    const { code, stderr } = await runCommand('copy', '--data', data, '--to-data', target)
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^failed \d\.mp4: .*sha-256/m)])
  })
})

describe('health', () => {
  it('exits with 0 if the server answers, and with 1 if not', async () => {
    const server = new ServerProcess(['--port', '0', '--data', await temporaryDirectory()])
    onTestFinished(async () => void (await server.stop('SIGKILL')))
    const { port } = new URL(await server.url())
    expect((await runCommand('health', '--port', port)).code).toBe(0)
    expect((await runCommand('health', '--ready', '--port', port, '--host', '0.0.0.0')).code).toBe(0)
    await server.stop()
    const gone = await runCommand('health', '--port', port)
    expect([gone.code, gone.stderr]).toEqual([1, expect.stringMatching(/does not answer: /)])
  })
})
