import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import fs, { createReadStream, ReadStream, type ReadStream as Stream } from 'node:fs'
import { chmod, open as openFile, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import gracefulFs from 'graceful-fs'
import type Koa from 'koa'
import { fileContent, rangeStream, serveContent } from 'koa-range-stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { settledFile, temporaryDirectory } from './files.ts'
import { ask, type Reply, type Server, serve } from './server.ts'

const TEXT = '0123456789'
const RANGE = { range: 'bytes=4-6' }

type Body = (path: string) => unknown

async function textFile(): Promise<string> {
  return settledFile(await temporaryDirectory(), 'a.txt', TEXT)
}

function serveBody(path: string, body: Body, ...middleware: Koa.Middleware[]): Promise<Server> {
  return serve(...middleware, async (ctx) => {
    ctx.body = await body(path)
  })
}

/** The response with rangeStream, after it was compared with the response of Koa alone. */
async function expectAsKoaAlone(body: Body, find = textFile): Promise<Reply> {
  const reply = await ask(await serveBody(await find(), body, rangeStream()), { headers: RANGE })
  const alone = await ask(await serveBody(await find(), body), { headers: RANGE })
  expect([reply.status, reply.text, withoutDate(reply)]).toEqual([
    alone.status,
    alone.text,
    withoutDate(alone),
  ])
  return reply
}

function withoutDate({ headers: { date: _date, ...rest } }: Reply) {
  return rest
}

const shout = (bytes: Buffer) => Buffer.from(bytes.toString().replace(/\d/g, 'x'))

class Shouting extends ReadStream {
  override push(chunk: Buffer | null): boolean {
    return super.push(chunk === null ? null : shout(chunk))
  }
}

/** A file system that keeps other bytes under every name. */
const otherFs = {
  ...fs,
  open: (_path: string, ...rest: [string, number, (error: Error | null, fd: number) => void]) =>
    fs.open(import.meta.filename, ...rest),
}

/** A stream that the app has changed before it became the body. */
function changed(change: (stream: Stream) => unknown): Body {
  return async (path) => {
    const stream = createReadStream(path)
    await change(stream)
    return stream
  }
}

describe('rangeStream sends as Koa alone does', () => {
  it.each<[string, Body]>([
    ['of a file system of the app', (path) => createReadStream(path, { fs: otherFs as never })],
    ['of a subclass that transforms what it reads', (path) => new Shouting(path)],
    ['of a subclass that changes nothing', (path) => new (class extends ReadStream {})(path)],
    ['of graceful-fs', (path) => gracefulFs.createReadStream(path)],
    ['with a `read` of the app', (path) => createReadStream(path, { read: pushOnce } as never)],
    ['with a `construct` of the app', (path) => createReadStream(path, { construct: openOther } as never)],
    ['whose prototype the app has replaced', (path) => Object.setPrototypeOf(createReadStream(path), Shouting.prototype)],
    ['opened for reading and writing', (path) => createReadStream(path, { flags: 'r+' })],
    ['with an AbortSignal', (path) => createReadStream(path, { signal: new AbortController().signal })],
    ['of a path in a Buffer', (path) => createReadStream(Buffer.from(path))],
    ['of a descriptor', async (path) => createReadStream(path, { fd: fs.openSync(path, 'r') })],
    ['of a descriptor that was read from', async (path) => {
      const fd = fs.openSync(path, 'r')
      fs.readSync(fd, Buffer.alloc(3))
      return createReadStream(path, { fd })
    }],
    ['of a FileHandle', async (path) => (await openFile(path)).createReadStream()],
    ['with an encoding', (path) => createReadStream(path, 'hex')],
    ['with an encoding that was set later', changed((stream) => stream.setEncoding('base64'))],
    ['with a start', (path) => createReadStream(path, { start: 2 })],
    ['with an end', (path) => createReadStream(path, { end: 7 })],
    ['of which bytes were read', changed(async (stream) => {
      await once(stream, 'readable')
      stream.read(3)
    })],
    ['to which bytes were put back', changed((stream) => stream.unshift(Buffer.from('before ')))],
    ['whose end the app listens to', changed((stream) => stream.on('end', () => {}))],
    ['that the app has paused', changed((stream) => stream.pause())],
    ['with its own `_read`', changed((stream) => { stream._read = pushOnce })],
    ['with its own `push`', changed((stream) => { const { push } = stream; stream.push = (chunk) => push.call(stream, chunk && shout(chunk)) })],
    ['with its own `pipe`', changed((stream) => { stream.pipe = (target) => ReadStream.prototype.pipe.call(new Shouting(stream.path), target) as typeof target })],
    ['with its own `on`', changed((stream) => { const { on } = stream; stream.on = (event, listener) => on.call(stream, event, event === 'data' ? (bytes: Buffer) => listener(shout(bytes)) : listener) })],
  ])('a file stream %s', async (_what, body) => {
    const { status, headers } = await expectAsKoaAlone(body)
    expect(status).toBe(200)
    expect(headers).not.toHaveProperty('accept-ranges')
  })
})

function pushOnce(this: Stream): void {
  this.push('from the app')
  this.push(null)
}

function openOther(this: Stream & { fd?: number }, callback: (error?: Error) => void): void {
  this.fd = fs.openSync(import.meta.filename, 'r')
  callback()
}
