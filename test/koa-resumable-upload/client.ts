import { connect, type Socket } from 'node:net'
import Koa from 'koa'
import { type ResumableUploadOptions, resumableUpload } from 'koa-resumable-upload'
import { createFsStore, createMemoryStore, type StoreOptions, type UploadStore } from 'upload-store'
import { onTestFinished } from 'vitest'
import { serve } from '../support/app.ts'
import { temporaryDirectory } from '../support/temporary.ts'

export interface Answer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  /** Heads of interim responses. */
  readonly interim: readonly { readonly status: number; readonly headers: ReadonlyMap<string, string> }[]
}

export type StoreKind = 'memory' | 'fs'

export async function storeOf(kind: StoreKind, options: StoreOptions = {}): Promise<UploadStore> {
  if (kind === 'memory') return createMemoryStore(options)
  const store = createFsStore(await temporaryDirectory(), options)
  onTestFinished(() => store.close())
  return store
}

/** The URL of an app that takes uploads at /files/<key>, until the test has finished. */
export function startUploads(
  store: UploadStore,
  options: Partial<ResumableUploadOptions> = {},
): Promise<string> {
  const app = new Koa()
  // Of clients that are cut off.
  app.silent = true
  const resolveTarget: ResumableUploadOptions['resolveTarget'] = ({ path }) =>
    path.startsWith('/files/') ? { key: path.slice('/files/'.length), type: 'text/plain' } : null
  app.use(resumableUpload(store, { resolveTarget, ...options }))
  app.use((ctx) => {
    ctx.status = 299
    ctx.body = 'next'
  })
  return serve(app.callback())
}

type Fields = Readonly<Record<string, string>>

/** One request on a connection of its own, whose content is sent as the test says. */
export class RawRequest {
  readonly #socket: Socket
  readonly answer: Promise<Answer>
  #text = ''
  #waiting: (() => void)[] = []

  constructor(url: string, method: string, path: string, fields: Fields) {
    const { hostname, port } = new URL(url)
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
    this.#socket = connect(Number(port), hostname)
    this.#socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n${lines.join('')}\r\n`,
    )
    this.answer = new Promise((resolve, reject) => {
      this.#socket.setEncoding('latin1').on('data', (text) => {
        this.#text += text
        for (const wake of this.#waiting) wake()
      })
      this.#socket.on('error', reject).on('close', () => {
        const answer = parse(this.#text)
        if (answer === null) reject(new Error('The connection was closed without an answer.'))
        else resolve(answer)
      })
    })
    // A test may only look at whether it fails.
    this.answer.catch(() => {})
    onTestFinished(() => void this.#socket.destroy())
  }

  write(text: string): this {
    this.#socket.write(text, 'latin1')
    return this
  }

  /** Cuts the connection. */
  cut(): void {
    this.#socket.destroy()
  }

  /** Resolves when what has come matches. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#text)
      if (found !== null) return found
      await new Promise<void>((resolve) => void this.#waiting.push(resolve))
    }
  }
}

export function send(
  url: string,
  method: string,
  path: string,
  fields: Fields = {},
  content?: string,
): Promise<Answer> {
  const length = content === undefined ? {} : { 'Content-Length': String(content.length) }
  return new RawRequest(url, method, path, { ...length, ...fields }).write(content ?? '').answer
}

/** Begins an upload of which more is to come, and tells its path. */
export async function begin(url: string, content = '', fields: Fields = {}): Promise<string> {
  const { status, headers } = await send(
    url,
    'POST',
    '/files/a',
    { 'Upload-Complete': '?0', ...fields },
    content,
  )
  const location = headers.get('location')
  if (status !== 201 || location === undefined) throw new Error(`No upload was begun: ${status}`)
  return location
}

export function appendTo(
  url: string,
  path: string,
  offset: number,
  content: string,
  fields: Fields = {},
): Promise<Answer> {
  return send(url, 'PATCH', path, { ...appending(offset, '?1'), ...fields }, content)
}

export function appending(offset: number, complete: '?0' | '?1'): Fields {
  return {
    'Content-Type': 'application/partial-upload',
    'Upload-Offset': String(offset),
    'Upload-Complete': complete,
  }
}

export async function textOf(store: UploadStore, key: string): Promise<string | null> {
  const content = await store.get(key)
  if (content === null) return null
  const chunks: Uint8Array[] = []
  for await (const chunk of await content.stream()) chunks.push(chunk)
  return Buffer.concat(chunks).toString('latin1')
}

function parse(text: string): Answer | null {
  const interim: Answer['interim'][number][] = []
  let rest = text
  for (;;) {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) return null
    const [line = '', ...fields] = rest.slice(0, end).split('\r\n')
    const status = Number(line.split(' ')[1])
    const headers = new Map(fields.map((field) => splitField(field)))
    rest = rest.slice(end + 4)
    if (status >= 200) return { status, headers, body: rest, interim }
    interim.push({ status, headers })
  }
}

function splitField(field: string): [string, string] {
  const colon = field.indexOf(':')
  return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()]
}
