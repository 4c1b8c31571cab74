import { once } from 'node:events'
import fs, { createReadStream } from 'node:fs'
import { createServer, request } from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import multer from 'multer'
import { describe, expect, it, onTestFinished } from 'vitest'

// Members of Node and multer that they do not document, and our code uses. Each test names those that a version lacks.

/** Returns which of these members `owner` lacks or has with another type. */
function missing(owner: object, types: Readonly<Record<string, string>>): string[] {
  return Object.entries(types).flatMap(([name, type]) => {
    const value: unknown = Reflect.get(owner, name)
    const actual = value === null ? 'null' : typeof value
    return actual === type ? [] : [`${name} is ${actual}, not ${type}`]
  })
}

describe('the private members that the code relies on', () => {
  it('are found missing by name', () => {
    expect(missing({ a: 1 }, { a: 'number', b: 'function' })).toEqual(['b is undefined, not function'])
  })

  // koa-range-stream: file-of-stream.ts, range-stream.ts
  it('exist on a file stream of Node, which opens no file once its _construct is replaced', async () => {
    const stream = createReadStream(import.meta.filename)
    const types = { _construct: 'function', _read: 'function', fd: 'null', flags: 'string' }
    expect(missing(stream, { ...types, end: 'number', pos: 'undefined', pending: 'boolean' })).toEqual([])
    const symbols = Object.getOwnPropertySymbols(stream)
    expect(symbols.filter((key) => Reflect.get(stream, key) === fs)).toHaveLength(1)
    stream._construct = (callback) => callback()
    await nextTurn()
    expect(stream.pending).toBe(true)
    stream.destroy()
  })

  // koa-resumable-upload: options.ts, interim.ts; apps/server: socket-handle.ts, request-gate.ts
  it('exist on a response of node:http and on its socket', async () => {
    const found: string[] = []
    const server = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    server.on('checkContinue', (_request, response) => {
      found.push(...missing(response, { _sent100: 'boolean', _writeRaw: 'function' }))
      if (Reflect.get(response, '_sent100') !== false) found.push('_sent100 is not false before 100')
      response.writeContinue()
      if (Reflect.get(response, '_sent100') !== true) found.push('_sent100 is not true after 100')
      const { socket } = response
      found.push(...missing(socket ?? {}, { _read: 'function', _handle: 'object' }))
      const handle: unknown = socket === null ? {} : Reflect.get(socket, '_handle')
      const types = { fd: 'number', bytesWritten: 'number', writeQueueSize: 'number' }
      found.push(...missing(Object(handle), process.platform === 'win32' ? {} : types))
      response.end()
    })
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const client = request({ port, method: 'POST', headers: { Expect: '100-continue' }, agent: false })
    client.end('x')
    const [response] = await once(client, 'response')
    response.resume()
    await once(response, 'end')
    expect(found).toEqual([])
  })

  // apps/server: sliced-response.ts
  it('exist on a stream of node:http2', async () => {
    const server = http2.createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const session = http2.connect(`http://127.0.0.1:${port}`)
    const [[stream]] = await Promise.all([once(server, 'stream'), session.request().resume()])
    expect(missing(stream, { _writev: 'function' })).toEqual([])
    stream.respond({}, { endStream: true })
    session.close()
  })

  // upload-store: multer-storage.ts; apps/server: post-video.ts
  it('exist on a storage engine of multer', () => {
    expect(missing(multer.memoryStorage(), { _handleFile: 'function', _removeFile: 'function' })).toEqual([])
  })
})
