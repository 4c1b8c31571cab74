import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import type { Answer, Request } from './exchange.ts'
import { type Context, pathOf } from './suite.ts'

type RequestFields = NonNullable<Request['fields']>

export const TUS: RequestFields = { 'Tus-Resumable': '1.0.0' }
export const OFFSET_STREAM: RequestFields = { 'Content-Type': 'application/offset+octet-stream' }

/** Upload-Metadata that names the upload. */
export function named(key: string): RequestFields {
  return { 'Upload-Metadata': `filename ${Buffer.from(key).toString('base64')}` }
}

export function creation(fields: RequestFields, body?: Uint8Array): Request {
  const content = body === undefined ? {} : { body }
  const type = body === undefined ? {} : OFFSET_STREAM
  return { method: 'POST', path: '/tus', fields: { ...TUS, ...type, ...fields }, ...content }
}

export function patch(
  path: string,
  offset: number | string,
  body: Uint8Array,
  fields: RequestFields = {},
): Request {
  const all = { ...TUS, ...OFFSET_STREAM, 'Upload-Offset': String(offset), ...fields }
  return { method: 'PATCH', path, fields: all, body }
}

export function head(path: string): Request {
  return { method: 'HEAD', path, fields: TUS }
}

export function options(path = '/tus'): Request {
  return { method: 'OPTIONS', path }
}

/** Creates an upload under the key of the case, and returns its path. */
export async function createUpload(
  the: Context,
  length: number | null,
  fields: RequestFields = {},
): Promise<string> {
  const size: RequestFields =
    length === null ? { 'Upload-Defer-Length': '1' } : { 'Upload-Length': String(length) }
  const answer = await the.send(creation({ ...size, ...named(the.key), ...fields }))
  expect(answer).toMatchObject({ status: 201, fields: { location: expect.any(String) } })
  return pathOf(answer.fields['location'])
}

/** Creates complete parts, and returns their paths. */
export async function createParts(the: Context, ...contents: readonly Uint8Array[]): Promise<string[]> {
  const paths: string[] = []
  for (const content of contents) {
    const fields = { 'Upload-Concat': 'partial', 'Upload-Length': String(content.length) }
    const answer = await the.send(creation(fields, content))
    expect(answer.status).toBe(201)
    paths.push(pathOf(answer.fields['location']))
  }
  return paths
}

export function checksum(algorithm: string, content: Uint8Array): string {
  return `${algorithm} ${createHash(algorithm).update(content).digest('base64')}`
}

export async function expectOffset(the: Context, path: string, offset: number): Promise<Answer> {
  const answer = await the.send(head(path))
  expect(answer).toMatchObject({ status: 200, fields: { 'upload-offset': String(offset) } })
  return answer
}
