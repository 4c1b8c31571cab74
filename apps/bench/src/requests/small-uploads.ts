import { randomBytes } from 'node:crypto'
import type { Request, Send } from './client.ts'

/** One way to send a whole upload, in one or more requests. */
export interface Way {
  readonly name: string
  upload(send: Send, key: string, content: Buffer): Promise<void>
}

const BOUNDARY = 'koa-range-bench'

function form(key: string, content: Buffer): Request {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="${key}"\r\n\r\n`
  const body = Buffer.concat([Buffer.from(head), content, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)])
  const headers = { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}`, Accept: 'application/json' }
  return { method: 'POST', path: '/video', headers, body }
}

export const WAYS: readonly Way[] = [
  { name: 'form', upload: async (send, key, content) => void (await send(form(key, content), 201)) },
  {
    name: 'PUT',
    upload: async (send, key, body) =>
      void (await send({ method: 'PUT', path: `/videos/${key}`, body }, 201)),
  },
  {
    name: 'resumable upload draft',
    upload: async (send, key, body) => {
      const headers = { 'Upload-Complete': '?1' }
      await send({ method: 'PUT', path: `/videos/${key}`, headers, body }, 201)
    },
  },
  {
    name: 'tus: POST, PATCH',
    upload: async (send, key, body) => {
      const filename = Buffer.from(key).toString('base64')
      const tus = { 'Tus-Resumable': '1.0.0' }
      const creating = {
        ...tus,
        'Upload-Length': String(body.length),
        'Upload-Metadata': `filename ${filename}`,
      }
      const { location = '' } = await send({ method: 'POST', path: '/files', headers: creating }, 201)
      const { pathname } = new URL(location, 'http://127.0.0.1')
      const type = 'application/offset+octet-stream'
      const headers = { ...tus, 'Upload-Offset': '0', 'Content-Type': type }
      await send({ method: 'PATCH', path: pathname, headers, body }, 204)
    },
  },
]

/** Creates an upload; resolves to a function that appends `size` bytes to it. */
export async function openAppends(send: Send, size: number): Promise<() => Promise<unknown>> {
  const creating = { method: 'POST', path: '/uploads', headers: { 'Upload-Complete': '?0' } }
  const { location = '' } = await send(creating, 201)
  const { pathname: path } = new URL(location, 'http://127.0.0.1')
  const body = randomBytes(size)
  let offset = 0
  return async () => {
    const type = 'application/partial-upload'
    const headers = { 'Content-Type': type, 'Upload-Offset': String(offset), 'Upload-Complete': '?0' }
    await send({ method: 'PATCH', path, headers, body }, 204)
    offset += size
  }
}
