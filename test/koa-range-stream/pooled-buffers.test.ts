import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { fileContent, serveContent } from 'koa-range-stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { acquireBuffer, releaseBuffer, SHORT } from '../../packages/koa-range-stream/src/file/buffers.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { patterned, settledFile } from './files.ts'

describe('a pooled buffer', () => {
  it('is overwritten when it is released, as in every test here', () => {
    const buffer = acquireBuffer(SHORT).fill(1)
    releaseBuffer(buffer)
    expect(buffer.every((byte) => byte === 0xdb)).toBe(true)
  })

  it('is given to one reader at a time, and cannot be released twice', () => {
    const [one, other] = [acquireBuffer(SHORT), acquireBuffer(SHORT)]
    expect(one).not.toBe(other)
    releaseBuffer(one)
    expect(() => releaseBuffer(one)).toThrow('released twice')
    expect([acquireBuffer(SHORT), acquireBuffer(SHORT)].filter((buffer) => buffer === one)).toHaveLength(1)
  })

  it('holds the bytes of a response until the response is sent, with 40 responses at once', async () => {
    const bytes = patterned(600_000)
    const path = await settledFile(await temporaryDirectory(), 'clip.mp4', bytes)
    const app = new Koa()
    app.use(async (ctx) => {
      const content = await fileContent(path)
      if (content !== null) await serveContent(ctx, content)
    })
    const server = createServer(app.callback()).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const lengths = [100, 10_000, 60_000, 500_000]
    const gets = Array.from({ length: 40 }, async (_, at) => {
      const end = at + (lengths[at % lengths.length] ?? 0)
      const response = await fetch(`http://127.0.0.1:${port}/`, {
        headers: { Range: `bytes=${at}-${end}`, Connection: 'close' },
      })
      return Buffer.from(await response.arrayBuffer()).equals(bytes.subarray(at, end + 1))
    })
    expect(await Promise.all(gets)).toEqual(gets.map(() => true))
  })
})
