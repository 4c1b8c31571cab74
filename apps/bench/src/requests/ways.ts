import { randomBytes } from 'node:crypto'
import type { Request, Send } from './client.ts'

/** Sends a whole upload, in one or more requests. */
export type Way = (send: Send, key: string, content: Buffer) => Promise<void>

/** Creates an upload; resolves to a function that appends `size` bytes to it. */
export type Appends = (send: Send, size: number) => Promise<() => Promise<void>>

const BOUNDARY = 'koa-range-bench'
const TUS = { 'Tus-Resumable': '1.0.0' }
const TUS_BODY = { ...TUS, 'Content-Type': 'application/offset+octet-stream' }

export const form: Way = async (send, key, content) => {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="${key}"\r\n\r\n`
  const body = Buffer.concat([Buffer.from(head), content, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)])
  const headers = { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}`, Accept: 'application/json' }
  await send({ method: 'POST', path: '/video', headers, body }, 201)
}

export const put: Way = async (send, key, body) => {
  await send({ method: 'PUT', path: `/videos/${key}`, body }, 201)
}

export const draft: Way = async (send, key, body) => {
  const headers = { 'Upload-Complete': '?1' }
  await send({ method: 'PUT', path: `/videos/${key}`, headers, body }, 201)
}

/** As most clients of tus do it. */
export const tus: Way = async (send, key, body) => {
  const path = await create(send, { method: 'POST', path: '/files', headers: tusCreation(key, body.length) })
  await send({ method: 'PATCH', path, headers: { ...TUS_BODY, 'Upload-Offset': '0' }, body }, 204)
}

/** The extension creation-with-upload. */
export const tusAtOnce: Way = async (send, key, body) => {
  const headers = { ...TUS_BODY, ...tusCreation(key, body.length) }
  await send({ method: 'POST', path: '/files', headers, body }, 201)
}

export const tusAppends: Appends = async (send, size) => {
  const path = await create(send, { method: 'POST', path: '/files', headers: tusCreation('a.mp4', 2 ** 32) })
  const body = randomBytes(size)
  let offset = 0
  return async () => {
    const headers = { ...TUS_BODY, 'Upload-Offset': String(offset) }
    await send({ method: 'PATCH', path, headers, body }, 204)
    offset += size
  }
}

export const draftAppends: Appends = async (send, size) => {
  const path = await create(send, { method: 'POST', path: '/uploads', headers: { 'Upload-Complete': '?0' } })
  const body = randomBytes(size)
  let offset = 0
  return async () => {
    const type = 'application/partial-upload'
    const headers = { 'Content-Type': type, 'Upload-Offset': String(offset), 'Upload-Complete': '?0' }
    await send({ method: 'PATCH', path, headers, body }, 204)
    offset += size
  }
}

function tusCreation(key: string, length: number): Readonly<Record<string, string>> {
  const filename = Buffer.from(key).toString('base64')
  return { ...TUS, 'Upload-Length': String(length), 'Upload-Metadata': `filename ${filename}` }
}

async function create(send: Send, request: Request): Promise<string> {
  const { location = '' } = await send(request, 201)
  return new URL(location, 'http://127.0.0.1').pathname
}
