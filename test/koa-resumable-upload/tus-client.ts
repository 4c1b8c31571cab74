import { createHash } from 'node:crypto'
import Koa from 'koa'
import { type TusUploadOptions, tusUpload } from 'koa-resumable-upload'
import type { UploadStore } from 'upload-store'
import { serve } from '../support/app.ts'
import { type Answer, send } from './client.ts'

type Fields = Readonly<Record<string, string>>

export const VERSION: Fields = { 'Tus-Resumable': '1.0.0' }
const CONTENT: Fields = { 'Content-Type': 'application/offset+octet-stream' }

/** The URL of an app with tus at /files, until the test has finished. */
export function startTus(store: UploadStore, options: TusUploadOptions = {}): Promise<string> {
  const app = new Koa()
  // Of clients that are cut off.
  app.silent = true
  app.use(tusUpload(store, { maxSize: 1000, ...options }))
  return serve(app.callback())
}

export function metadata(pairs: Readonly<Record<string, string>>): Fields {
  const each = Object.entries(pairs).map(
    ([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`,
  )
  return { 'Upload-Metadata': each.join(',') }
}

/** `content` is undefined where the request has none. */
export function create(url: string, fields: Fields, content?: string): Promise<Answer> {
  const type = content === undefined ? {} : CONTENT
  return send(
    url,
    'POST',
    '/files',
    { ...VERSION, ...type, ...metadata({ filename: 'a' }), ...fields },
    content,
  )
}

/** Creates an upload and tells its path. */
export async function begin(url: string, length: number | 'deferred', fields: Fields = {}): Promise<string> {
  const size: Fields =
    length === 'deferred' ? { 'Upload-Defer-Length': '1' } : { 'Upload-Length': String(length) }
  const { status, headers } = await create(url, { ...size, ...fields })
  const location = headers.get('location')
  if (status !== 201 || location === undefined) throw new Error(`No upload was begun: ${status}`)
  return location
}

export function appending(offset: number, fields: Fields = {}): Fields {
  return { ...VERSION, ...CONTENT, 'Upload-Offset': String(offset), ...fields }
}

export function append(
  url: string,
  path: string,
  offset: number,
  content: string,
  fields: Fields = {},
): Promise<Answer> {
  return send(url, 'PATCH', path, appending(offset, fields), content)
}

/** Status, offset and length, as a client asks before it goes on. */
export async function look(url: string, path: string): Promise<readonly (number | string | undefined)[]> {
  const { status, headers } = await send(url, 'HEAD', path, VERSION)
  return [status, headers.get('upload-offset'), headers.get('upload-length')]
}

export function checksum(algorithm: string, content: string): Fields {
  return { 'Upload-Checksum': `${algorithm} ${createHash(algorithm).update(content).digest('base64')}` }
}
