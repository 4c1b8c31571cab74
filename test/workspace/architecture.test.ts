import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { REPOSITORY } from '../support/server.ts'

const DOCUMENT = await readFile(join(REPOSITORY, 'docs/architecture.md'), 'utf8')

function sectionOf(title: string): string {
  return DOCUMENT.split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? ''
}

/** The source files that a text names, sorted. Files of one folder are written `folder/{a,b}.ts`. */
function filesIn(text: string): string[] {
  const names = [...text.matchAll(/`((?:apps|packages)\/[^`]+\.ts)`/g)].map(([, name = '']) => name)
  const files = names.flatMap((name) => {
    const [, folder = '', list] = /^(.*)\{(.*)\}\.ts$/.exec(name) ?? []
    return list === undefined ? [name] : list.split(',').map((file) => `${folder}${file}.ts`)
  })
  return [...new Set(files)].sort()
}

/** The server in a process that counts which files its code enters. */
class CountingServer {
  readonly #child: ChildProcess
  readonly url: string

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.url = url
  }

  static async start(): Promise<CountingServer> {
    const hook = fileURLToPath(new URL('entered-files.mjs', import.meta.url))
    const main = join(REPOSITORY, 'apps/server/dist/main.js')
    const data = await mkdtemp(join(tmpdir(), 'koa-range-'))
    // Lines of requests are written by a timer, which would enter files at any time.
    const flags = ['--port', '0', '--data', data, '--accept', '*/*', '--log-level', 'error']
    const child = spawn(process.execPath, ['--import', hook, main, ...flags], {
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
    })
    const { value } = await createInterface({ input: child.stdout as Readable })
      [Symbol.asyncIterator]()
      .next()
    return new CountingServer(child, value)
  }

  /** The source files that have been entered since the call before, sorted. */
  async entered(): Promise<string[]> {
    this.#child.send('take')
    const [urls] = (await once(this.#child, 'message')) as [string[]]
    const paths = urls.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url))
    const ours = paths.flatMap((path) => /(?:apps|packages)\/[^/]+\/dist\/.+\.js$/.exec(path)?.[0] ?? [])
    return ours.map((path) => path.replace('/dist/', '/src/').replace(/\.js$/, '.ts')).sort()
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill()
    await ended
  }
}

describe('docs/architecture.md', () => {
  let server: CountingServer
  beforeAll(async () => {
    server = await CountingServer.start()
  })
  afterAll(() => server?.stop())

  const put = (key: string, body: string) => fetch(`${server.url}/videos/${key}`, { method: 'PUT', body })

  async function form(name: string): Promise<void> {
    const body = new FormData()
    body.append('file', new Blob([name.repeat(1000)]), name)
    const response = await fetch(`${server.url}/video`, { method: 'POST', body })
    expect(response.status).toBe(201)
  }

  async function createUpload(key: string): Promise<string> {
    const response = await fetch(`${server.url}/videos/${key}`, {
      method: 'PUT',
      headers: { 'Upload-Complete': '?0', 'Upload-Draft-Interop-Version': '8' },
      body: 'first',
    })
    return new URL(response.headers.get('location') ?? '', server.url).href
  }

  async function append(url: string): Promise<void> {
    const response = await fetch(url, {
      method: 'PATCH',
      headers: {
        'Content-Type': 'application/partial-upload',
        'Upload-Offset': '5',
        'Upload-Complete': '?1',
        'Upload-Draft-Interop-Version': '8',
      },
      body: ' second',
    })
    expect(response.status).toBe(201)
  }

  const get = async () => {
    const response = await fetch(`${server.url}/videos/clip.mp4`, { headers: { Range: 'bytes=10-19' } })
    expect([response.status, await response.text()]).toEqual([206, 'ip.mp4clip'])
  }

  /** Each section's request, sent once before the one that is counted, so that nothing of a first use counts. */
  const REQUESTS: Readonly<Record<string, () => Promise<() => Promise<void>>>> = {
    'POST /video': async () => {
      await form('first.mp4')
      return () => form('second.mp4')
    },
    'PATCH /uploads/:id': async () => {
      await append(await createUpload('a.mp4'))
      const url = await createUpload('b.mp4')
      return () => append(url)
    },
    // The last one, because its descriptor stays open for a while and is looked at by a timer.
    'GET /videos/clip.mp4': async () => {
      await put('clip.mp4', 'clip.mp4'.repeat(1000))
      // A record that was written moments ago is read again, because its time stamp proves nothing yet.
      const readsRecord = async () => {
        await get()
        return (await server.entered()).includes('packages/upload-store/src/fs/objects/records.ts')
      }
      await expect.poll(readsRecord).toBe(false)
      return get
    },
  }

  it.each(Object.entries(REQUESTS))(
    'names every file that a %s enters, and their number',
    async (title, prepare) => {
      const request = await prepare()
      await server.entered()
      await request()
      const entered = await server.entered()
      const section = sectionOf(title)
      expect(filesIn(sectionOf('Every request') + section)).toEqual(entered)
      expect(section).toContain(`enters ${entered.length} files`)
    },
  )
})
