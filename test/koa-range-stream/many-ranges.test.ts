import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { rangeStream } from 'koa-range-stream'
import { describe, expect, it, onTestFinished } from 'vitest'

/** 64 KiB of them. */
const FIELD = `bytes=${Array.from({ length: 10_000 }, (_, i) => `${i}-${i}`).join(',')}`.slice(0, 64 * 1024)

async function statusFor(maxHeaderSize?: number): Promise<{ status?: number | undefined; length: number }> {
  const app = new Koa()
  app.use(rangeStream()).use((ctx) => {
    ctx.body = Buffer.alloc(100_000)
  })
  const options = maxHeaderSize === undefined ? {} : { maxHeaderSize }
  const server = http.createServer(options, app.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const request = http.get({ port, host: '127.0.0.1', headers: { range: FIELD }, agent: false })
  request.on('error', () => {})
  const [response] = await once(request, 'response')
  let length = 0
  for await (const chunk of response) length += chunk.length
  return { status: response.statusCode, length }
}

describe('a Range field of 64 KiB', () => {
  it("is 431 by Node's own limit", async () => {
    expect(await statusFor()).toMatchObject({ status: 431 })
  })

  it('gets all of the content where the limit is raised', async () => {
    expect(await statusFor(200_000)).toEqual({ status: 200, length: 100_000 })
  })
})
