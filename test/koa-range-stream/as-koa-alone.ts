import { once } from 'node:events'
import fs, { createReadStream, ReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { rangeStream } from 'koa-range-stream'
import { expect } from 'vitest'
import { temporaryDirectory } from './files.ts'
import { ask, type Reply, type Server, serve } from './server.ts'

export const TEXT = '0123456789'

/** Makes a body, of the file at `path` if it is made of a file. */
export type MakeBody = (path: string) => unknown

export async function textFile(text = TEXT): Promise<string> {
  const path = join(await temporaryDirectory(), 'a.txt')
  await writeFile(path, text)
  return path
}

/** A server that answers each request with a new body, behind rangeStream. */
export function serveRanges(path: string, body: MakeBody): Promise<Server> {
  return serve(rangeStream(), async (ctx) => {
    ctx.body = await body(path)
  })
}

/** The response to a Range request, which is 200 without ranges, and in every field what Koa alone answers. */
export async function expectAsKoaAlone(
  body: MakeBody,
  find: () => Promise<string> = textFile,
): Promise<Reply> {
  const headers = { range: 'bytes=4-6' }
  const reply = await ask(await serveRanges(await find(), body), { headers })
  const path = await find()
  const koaAlone = await serve(async (ctx) => {
    ctx.body = await body(path)
  })
  const alone = await ask(koaAlone, { headers })
  expect(comparable(reply)).toEqual(comparable(alone))
  expect(reply.status).toBe(200)
  expect(reply.headers).not.toHaveProperty('accept-ranges')
  return reply
}

function comparable({ status, text, headers: { date: _date, ...headers } }: Reply) {
  return { status, text, headers }
}

/** A file stream that the app has changed before it became the body. */
export function changed(change: (stream: ReadStream) => unknown): MakeBody {
  return async (path) => {
    const stream = createReadStream(path)
    await change(stream)
    return stream
  }
}

/** A file stream that the app has opened, and whose path it has changed since. */
export function opened(change: (path: string) => unknown): MakeBody {
  return async (path) => {
    const stream = createReadStream(path)
    await once(stream, 'open')
    await change(path)
    return stream
  }
}

/** Other bytes in place of digits. */
export function shout(bytes: Buffer | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes.toString().replace(/\d/g, 'x'))
}

export class Shouting extends ReadStream {
  override push(chunk: Buffer | null): boolean {
    return super.push(shout(chunk))
  }
}

/** `new Stream(path)`; the type of the constructor does not have the path. */
export function construct(Stream: typeof ReadStream, path: string | Buffer): ReadStream {
  return Reflect.construct(Stream, [path])
}

const { open } = fs

/** An `fs.open` under which every name is that of this file. */
export function openOther(
  _path: unknown,
  ...rest: [string, number, (error: Error | null, fd: number) => void]
) {
  open(import.meta.filename, ...rest)
}
