import { File } from 'node:buffer'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { rangeStream } from 'koa-range-stream'
import Koa2 from 'koa2'
import * as fetched from 'node-fetch'
import { describe, expect, it, onTestFinished } from 'vitest'
import { expectAsKoaAlone, type MakeBody, serveRanges, TEXT, textFile } from './as-koa-alone.ts'
import { ask } from './server.ts'

/** By structure only; its `slice` may be replaced. */
const blobLike = {
  size: 10,
  type: '',
  [Symbol.toStringTag]: 'Blob',
  slice: (start: number, end: number) => new Blob([TEXT.slice(start, end)]),
  stream: () => new Blob([TEXT]).stream(),
  arrayBuffer: () => new Blob([TEXT]).arrayBuffer(),
}

class ShoutingBlob extends Blob {
  override stream() {
    return new Blob(['XXXXXXXXXX']).stream()
  }
}

function notImplemented(): never {
  throw new Error('not implemented')
}

describe('rangeStream serves ranges of', () => {
  it.each<[string, MakeBody]>([
    ['a Blob', () => new Blob([TEXT])],
    ['a File', () => new File([TEXT], 'a.txt')],
    ['the Blob of a response of node-fetch', () => new fetched.Response(Buffer.from(TEXT)).blob()],
    ['a File of node-fetch', () => new fetched.File([TEXT], 'a.txt')],
    ['a Blob of node-fetch from a file', (path) => fetched.blobFrom(path)],
    ['an object with all that a Blob has', () => blobLike],
  ])('%s', async (_what, body) => {
    const server = await serveRanges(await textFile(), body)
    const part = await ask(server, { headers: { range: 'bytes=4-6' } })
    expect([part.status, part.text, part.headers['content-range']]).toEqual([206, '456', 'bytes 4-6/10'])
    expect(part.headers['content-type']).toBe('application/octet-stream')
    const parts = await ask(server, { headers: { range: 'bytes=9-9,0-0' } })
    expect(parts.text.match(/(?<=\r\n\r\n)\d(?=\r\n)/g)).toEqual(['9', '0'])
    expect(await ask(server)).toMatchObject({ status: 200, text: TEXT })
  })

  it('an empty Blob of node-fetch, which has none', async () => {
    const server = await serveRanges('', () => new fetched.Blob([]))
    const { status, headers, text } = await ask(server, { headers: { range: 'bytes=0-' } })
    expect([status, headers['content-length'], text]).toEqual([200, '0', ''])
  })

  it('a Blob of node-fetch with its media type', async () => {
    const server = await serveRanges('', () => new fetched.Blob([TEXT], { type: 'video/mp4' }))
    expect((await ask(server)).headers['content-type']).toBe('video/mp4')
  })
})

describe('rangeStream under Koa 2, which takes every Blob for JSON', () => {
  it.each([
    ['', 'application/octet-stream'],
    ['video/mp4', 'video/mp4'],
  ])('sends a Blob of the type "%s" as %s', async (type, sent) => {
    const app = new Koa2().use(rangeStream()).use((ctx) => {
      ctx.body = new Blob([TEXT], { type })
    })
    const server = http.createServer(app.callback()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const part = await ask({ port, errors: [] }, { headers: { range: 'bytes=4-6' } })
    expect([part.status, part.text, part.headers['content-type']]).toEqual([206, '456', sent])
  })
})

describe('rangeStream sends as Koa alone does', () => {
  it.each<[string, MakeBody]>([
    ['a Blob of a subclass that transforms its stream', () => new ShoutingBlob([TEXT])],
    ['a Blob with a `stream` of its own', () => Object.assign(new Blob([TEXT]), { stream: blobLike.stream })],
    ['a Blob-like object without `slice`', () => ({ ...blobLike, slice: undefined })],
    ['a Blob-like object whose `slice` throws', () => ({ ...blobLike, slice: notImplemented })],
    ['a Blob-like object whose `slice` ignores the range', () => ({ ...blobLike, slice: () => blobLike })],
    ['an object of another class with `arrayBuffer`', () => ({ ...blobLike, [Symbol.toStringTag]: 'Own' })],
    ['a Response', () => new Response(TEXT)],
    ['a Response of node-fetch', () => new fetched.Response(TEXT)],
    ['a Uint8Array', () => Uint8Array.from(Buffer.from(TEXT))],
    ['an ArrayBuffer', () => new ArrayBuffer(10)],
    ['a DataView', () => new DataView(new ArrayBuffer(10))],
    ['a Map', () => new Map([[1, 2]])],
    [
      'a stream that has a size',
      () => Object.assign(Readable.from([TEXT]), { size: 10, stream: blobLike.stream }),
    ],
  ])('%s', async (_what, body) => {
    await expectAsKoaAlone(body)
  })
})
