import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'

export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

/** How a client may send: the whole body or a form around it, with its length or in chunks. */
export const WAYS = ['put', 'put chunked', 'form', 'form chunked'] as const

export type Way = (typeof WAYS)[number]

/** Uploads `bytes` under `key`. */
export function upload(base: string, way: Way, key: string, bytes: Buffer): Promise<Answer> {
  const chunked = way.endsWith('chunked')
  if (way.startsWith('put')) return send('PUT', `${base}/videos/${key}`, bytes, chunked)
  const boundary = 'koa-range-faults'
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${key}"\r\n\r\n`
  const body = Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)])
  return send('POST', `${base}/video`, body, chunked, `multipart/form-data; boundary=${boundary}`)
}

/** An own connection for each, which goes on reading when the server no longer takes bytes: it may have answered. */
async function send(
  method: string,
  url: string,
  body: Buffer,
  chunked: boolean,
  type = 'application/octet-stream',
): Promise<Answer> {
  const length = chunked ? {} : { 'Content-Length': body.length }
  const headers = { 'Content-Type': type, Accept: 'application/json', Connection: 'close', ...length }
  const outgoing = request(url, { method, headers, agent: false })
  const answered = once(outgoing, 'response')
  // once() listens for the first error only.
  outgoing.on('error', () => {})
  let done = false
  answered.then(
    () => {
      done = true
    },
    () => {},
  )
  for (let at = 0; at < body.length && !outgoing.destroyed && !done; at += 65536) {
    if (!outgoing.write(body.subarray(at, at + 65536)))
      await Promise.race([once(outgoing, 'drain'), answered])
  }
  outgoing.end()
  const [response] = (await answered) as [IncomingMessage]
  const answer = { status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '' }
  return { ...answer, body: await text(response) }
}
