import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createFsStore } from 'upload-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { formWith, startApp } from '../support/app.ts'
import { ServerProcess } from '../support/server.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { source } from '../upload-store/contract.ts'

interface Running {
  readonly url: string
  readonly server: ServerProcess
}

async function start(
  data: string,
  flags: readonly string[] = [],
  launcher?: readonly string[],
): Promise<Running> {
  const options = ['--port', '0', '--data', data, '--accept', '*/*', '--log-level', 'error', ...flags]
  const server = new ServerProcess(options, {}, launcher)
  onTestFinished(async () => void (await server.stop('SIGKILL')))
  return { url: await server.url(), server }
}

/** A store with an object under each key. */
async function dataWith(...keys: string[]): Promise<string> {
  const data = join(await temporaryDirectory(), 'data')
  const store = createFsStore(data)
  for (const key of keys) await store.put(key, source(key))
  await store.close()
  return data
}

function recordOf(data: string, key: string): string {
  const name = createHash('sha256').update(key).digest('hex')
  return join(data, 'records', name.slice(0, 2), `${name}.json`)
}

const statusOf = async (url: string, init?: RequestInit) => (await fetch(url, init)).status

/** The statuses of GET, PUT, POST, DELETE, the list and the page. */
async function statusesOf(url: string, key: string): Promise<readonly number[]> {
  const file = `${url}/videos/${key}`
  const page = { headers: { accept: 'text/html' } }
  return [
    await statusOf(file),
    await statusOf(`${url}/videos`),
    await statusOf(url, page),
    await statusOf(file, { method: 'PUT', body: 'new' }),
    await statusOf(`${url}/video`, { method: 'POST', body: formWith('file', 'other.mp4', 'new') }),
    await statusOf(file, { method: 'DELETE' }),
  ]
}

describe('a server whose store has a damaged record', () => {
  it('answers 500 with a remedy for its key, which can be replaced, uploaded and deleted, and says so once', async () => {
    const data = await dataWith('a', 'b')
    const damage = () => writeFile(recordOf(data, 'a'), '{')
    await damage()
    const { url, server } = await start(data)
    const response = await fetch(`${url}/videos/a`)
    expect(response.status).toBe(500)
    expect(await response.json()).toMatchObject({
      detail: expect.stringContaining('Upload it again, or delete it.'),
    })
    expect(await statusOf(`${url}/get_video_by_name/a`)).toBe(500)
    expect(await (await fetch(`${url}/videos`)).json()).toMatchObject({ items: [{ key: 'b' }] })
    expect(await (await fetch(url, { headers: { accept: 'text/html' } })).text()).toContain('/?play=b')
    expect(await (await fetch(`${url}/videos/b`)).text()).toBe('b')
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('\nstore_damaged_entries_total 1\n')
    expect(await statusOf(`${url}/videos/a`, { method: 'PUT', body: 'new' })).toBe(201)
    expect(await (await fetch(`${url}/videos/a`)).text()).toBe('new')
    await damage()
    const posted = await fetch(`${url}/video`, { method: 'POST', body: formWith('file', 'a', 'newer') })
    expect([posted.status, await posted.json()]).toMatchObject([201, { key: 'a' }])
    expect(await (await fetch(`${url}/videos/a`)).text()).toBe('newer')
    await damage()
    expect(await statusOf(`${url}/videos/a`, { method: 'DELETE' })).toBe(204)
    expect(await statusOf(`${url}/videos/a`)).toBe(404)
    const lines = (await server.stop()).stderr.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        entry: recordOf('', 'a'),
        reason: 'It is not a record of an object.',
        msg: 'the store skips a damaged entry',
      },
    ])
  })

  it('stays ready, whatever key that is', async () => {
    const { url, directory, store } = await startApp()
    await store.put('ready', source('x'))
    await writeFile(recordOf(directory, 'ready'), '{')
    expect(await statusOf(`${url}/readyz`)).toBe(200)
  })
})

describe('a server whose store has foreign entries', () => {
  it.each([[], ['--workers', '2']])('starts and serves, with a line for each (%s)', async (...flags) => {
    const data = await dataWith('a')
    await mkdir(join(data, 'owners', '@eaDir'))
    await mkdir(join(data, 'staging', `${'A'.repeat(22)}.part`))
    await writeFile(join(data, 'records', '00'), '')
    // The blob has a random id, and may be in the first folder.
    const [shard] = await readdir(join(data, 'blobs'))
    await writeFile(join(data, 'blobs', shard === '00' ? '01' : '00'), '')
    await mkdir(join(data, 'records', '01', `01${'0'.repeat(62)}.json`), { recursive: true })
    const { url, server } = await start(data, flags)
    expect(await statusesOf(url, 'a')).toEqual([200, 200, 200, 200, 201, 204])
    const { stderr } = await server.stop()
    for (const name of ['owners/@eaDir', 'staging/AAAA', 'records/00', 'records/01'])
      expect(stderr).toContain(`"entry":"${name}`)
  })
})

describe('a server whose data folder is gone', () => {
  it('answers 503 with Retry-After, is not ready, and serves again when the folder is back', async () => {
    const { url, directory: data, store } = await startApp()
    await store.put('a', source('a'))
    expect(await statusOf(`${url}/videos/a`)).toBe(200)
    await rename(data, `${data}-away`)
    expect(await statusesOf(url, 'a')).toEqual([503, 503, 503, 503, 503, 503])
    const response = await fetch(`${url}/videos/other`)
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
    expect(await statusOf(`${url}/readyz`)).toBe(503)
    await rename(`${data}-away`, data)
    expect(await statusesOf(url, 'a')).toEqual([200, 200, 200, 200, 201, 204])
  })

  it('answers 503 too where an empty folder has its place, as that of a volume that is not mounted', async () => {
    const { url, directory: data, store } = await startApp()
    await store.put('a', source('a'))
    await rename(data, `${data}-away`)
    await mkdir(data)
    expect(await statusesOf(url, 'a')).toEqual([503, 503, 503, 503, 503, 503])
    await rm(data, { recursive: true })
  })
})

/** A shell in a namespace of its own, whose mounts end with it. */
const NAMESPACE = ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec'] as const

function canMount(directory: string): boolean {
  try {
    const [command, ...rest] = NAMESPACE
    execFileSync(command, [...rest, 'mount -t tmpfs none "$0"', directory], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Launches a program over a copy of `seed` in a small file system at `data`, after `script` has prepared that. */
const mounted = (seed: string, data: string, script: string) => [
  ...NAMESPACE,
  `mount -t tmpfs -o size=64m,nr_inodes=100 none "$0"
   cp -a "$1"/. "$0"
   cd "$0" && ${script} && cd /
   shift
   exec "$@"`,
  data,
  seed,
]

describe.runIf(canMount('/mnt'))('a server whose disk takes no more files', () => {
  it.each([
    ['full of files', 'i=0; while touch "staging/full-$i" 2>/dev/null; do i=$((i+1)); done', 507],
    ['full of bytes', 'head -c 100m /dev/zero > staging/full 2>/dev/null || true', 507],
    ['read-only', 'mount -o remount,ro "$0"', 503],
  ])('starts where it is %s, with --read-only too, and serves', async (_, script, status) => {
    const seed = await dataWith('a')
    // Left by a process that was killed: to recover it needs a lock.
    await writeFile(join(seed, 'staging', `${'A'.repeat(22)}.part`), 'x')
    const data = await temporaryDirectory()
    const { url } = await start(data, [], mounted(seed, data, script))
    const readOnly = await start(data, ['--read-only'], mounted(seed, data, script))
    expect(await statusesOf(url, 'a')).toEqual([200, 200, 200, status, status, expect.any(Number)])
    expect(await statusOf(`${url}/readyz`)).toBe(503)
    expect(await statusesOf(readOnly.url, 'a')).toEqual([200, 200, 200, 403, 403, 403])
    expect(await statusOf(`${readOnly.url}/readyz`)).toBe(200)
  })
})
