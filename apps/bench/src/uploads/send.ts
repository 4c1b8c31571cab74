import { connect, type Socket } from 'node:net'
import type { Contender } from './contenders.ts'
import { chunksOf, type Upload } from './upload.ts'

export interface Answer {
  readonly status: number
  readonly text: string
}

const HOST = '127.0.0.1'
const BOUNDARY = '----koa-range-bench-4f1d9b7c2a60'

/**
 * Sends one upload over a connection of its own, by hand: node:http's client would need the processor that the server
 * is to have.
 *
 * @throws Error when the connection ends without an answer
 */
export async function send(port: number, method: Contender['method'], upload: Upload): Promise<Answer> {
  const socket = connect({ port, host: HOST, noDelay: true })
  const answer = readAnswer(socket)
  // A server that refuses may close before it has read everything; whether it answered is what `answer` tells.
  await writeRequest(socket, method, upload).catch(() => {})
  return answer
}

async function writeRequest(socket: Socket, method: Contender['method'], upload: Upload): Promise<void> {
  const { before, after } = method === 'POST' ? formAround(upload.name) : { before: '', after: '' }
  const length = before.length + upload.size + after.length
  const head = [
    method === 'POST' ? 'POST /video HTTP/1.1' : `PUT /videos/${upload.name} HTTP/1.1`,
    `Host: ${HOST}`,
    `Content-Type: ${method === 'POST' ? `multipart/form-data; boundary=${BOUNDARY}` : 'video/mp4'}`,
    `Content-Length: ${length}`,
    'Connection: close',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n${before}`, 'latin1')
  for (const chunk of chunksOf(upload)) await write(socket, chunk)
  if (after !== '') socket.write(after, 'latin1')
}

function formAround(name: string): { readonly before: string; readonly after: string } {
  const part = [
    `--${BOUNDARY}`,
    `Content-Disposition: form-data; name="file"; filename="${name}"`,
    'Content-Type: video/mp4',
  ]
  return { before: `${part.join('\r\n')}\r\n\r\n`, after: `\r\n--${BOUNDARY}--\r\n` }
}

/** Resolves when the kernel has it all. */
function write(socket: Socket, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(chunk, (error) => (error ? reject(error) : resolve()))
  })
}

/** The answer ends with the connection. */
function readAnswer(socket: Socket): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let failure: Error | undefined
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.once('error', (error) => {
      failure = error
    })
    socket.once('close', () => {
      const [, status, text = ''] =
        /^HTTP\/1\.1 (\d{3}).*?\r\n\r\n(.*)$/s.exec(Buffer.concat(chunks).toString()) ?? []
      if (status !== undefined) resolve({ status: Number(status), text })
      else reject(failure ?? new Error('The connection was closed without an answer.'))
    })
  })
}
