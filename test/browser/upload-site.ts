import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { ServerProcess } from '../support/server.ts'
import { makeFilm } from './film.ts'
import { Line } from './line.ts'
import { sharedBrowser } from './shared-browser.ts'
import { UploadPage } from './upload-page.ts'

export interface Film {
  readonly path: string
  readonly name: string
  /** sha-256, hex. */
  readonly digest: string
}

/** A server, a browser, and a directory for films. */
export class UploadSite {
  readonly browser: Browser
  readonly directory: string
  #server: ServerProcess
  /** Where the server answers, after a restart too. */
  readonly url: string

  private constructor(browser: Browser, directory: string, server: ServerProcess, url: string) {
    this.browser = browser
    this.directory = directory
    this.#server = server
    this.url = url
  }

  static async start(): Promise<UploadSite> {
    const directory = await mkdtemp(join(tmpdir(), 'koa-range-'))
    const server = new ServerProcess(flags(directory, '0'))
    const url = await server.url()
    return new UploadSite(await sharedBrowser(), directory, server, url)
  }

  async end(): Promise<void> {
    await this.#server.stop()
    await rm(this.directory, { recursive: true, force: true })
  }

  open(url: string = this.url): Promise<UploadPage> {
    return UploadPage.open(this.browser, url)
  }

  async kill(): Promise<void> {
    await this.#server.stop('SIGKILL')
  }

  async restart(): Promise<void> {
    this.#server = new ServerProcess(flags(this.directory, new URL(this.url).port))
    await this.#server.url()
  }

  /** A line of its own for one test. */
  async line(): Promise<Line> {
    const line = await Line.to(Number(new URL(this.url).port))
    onTestFinished(() => line.close())
    return line
  }

  /** @param size bytes */
  async film(name: string, size: number): Promise<Film> {
    const path = join(this.directory, name)
    return { path, name, digest: await makeFilm(path, size) }
  }

  /** Of what is stored under that name. */
  async digestOf(name: string): Promise<string | undefined> {
    const { items } = await (await fetch(`${this.url}/videos?prefix=${encodeURIComponent(name)}`)).json()
    return items[0]?.digest
  }
}

function flags(directory: string, port: string): string[] {
  const limits = ['--max-file-size', '256MiB', '--log-level', 'error']
  return ['--port', port, '--data', join(directory, 'data'), ...limits]
}

/** Whether the server knows nothing of an upload. */
export async function isDeleted(upload: string | undefined): Promise<boolean> {
  return (await fetch(upload ?? '', { method: 'HEAD' })).status === 404
}
