import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { ServerProcess } from '../support/server.ts'

/** A line of the server's log about a request. */
interface LoggedRequest {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly range?: string
  readonly msg: 'request' | 'aborted'
}

/** The demo server with a directory of its own, for all tests of a file. */
export class Demo {
  readonly directory: string
  readonly #server: ServerProcess
  readonly base: string

  private constructor(directory: string, server: ServerProcess, base: string) {
    this.directory = directory
    this.#server = server
    this.base = base
  }

  static async start(): Promise<Demo> {
    const directory = await mkdtemp(join(tmpdir(), 'koa-range-'))
    const assets = join(directory, 'assets')
    await mkdir(assets)
    const flags = ['--port', '0', '--data', join(directory, 'data'), '--assets', assets]
    const server = new ServerProcess([...flags, '--accept', '*/*', '--log-level', 'debug'])
    return new Demo(directory, server, await server.url())
  }

  async stop(): Promise<void> {
    await this.#server.stop()
    await rm(this.directory, { recursive: true, force: true })
  }

  /** Status and range of every GET of that URL that has ended or was given up, in the order of their ends. */
  answers(url: string): string[] {
    const { pathname } = new URL(url)
    return this.#server.stderr.split('\n').flatMap((line) => {
      const request: Partial<LoggedRequest> = line.startsWith('{') ? JSON.parse(line) : {}
      if (request.path !== pathname || request.method !== 'GET') return []
      // Given up before there was an answer: the status of that line says nothing.
      if (request.msg === 'aborted' && request.status !== 200 && request.status !== 206) return []
      return [`${request.status} ${request.range ?? 'whole'}`]
    })
  }
}

type Place = (demo: Demo, file: string, name: string) => Promise<string>

/** Uploads as the page's form does. */
export async function post({ base }: Demo, file: string, name: string): Promise<string> {
  const form = new FormData()
  form.append('file', new Blob([new Uint8Array(await readFile(file))]), name)
  const response = await fetch(`${base}/video`, { method: 'POST', body: form })
  if (!response.ok) throw new Error(`POST answered ${response.status}: ${await response.text()}`)
  return ((await response.json()) as { video_url: string }).video_url
}

/** Uploads as a script does. */
export async function put({ base }: Demo, file: string, name: string): Promise<string> {
  const url = `${base}/videos/${encodeURIComponent(name)}`
  const response = await fetch(url, { method: 'PUT', body: new Uint8Array(await readFile(file)) })
  if (!response.ok) throw new Error(`PUT answered ${response.status}: ${await response.text()}`)
  return url
}

/** Lays it among the static files. */
export async function publish({ base, directory }: Demo, file: string, name: string): Promise<string> {
  await copyFile(file, join(directory, 'assets', name))
  const url = `${base}/assets/${encodeURIComponent(name)}`
  // While a file is as new as that its tag is weak, and VLC takes that for a strong one: its If-Match gets 412.
  while ((await fetch(url, { method: 'HEAD' })).headers.get('ETag')?.startsWith('W/')) await setTimeout(10)
  return url
}

/** Where content comes from that is under a URL, each with the function that puts a file there. */
export const PLACES: readonly (readonly [string, Place])[] = [
  ['an upload', post],
  ['a static file', publish],
]
