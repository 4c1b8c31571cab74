import { appendFile, rename, truncate, unlink, writeFile } from 'node:fs/promises'
import type Koa from 'koa'
import { fileContent, rangeStream, serveContent } from 'koa-range-stream'
import serveStatic from 'koa-static'
import { describe, expect, it } from 'vitest'
import { readMultipart } from './content.ts'
import { patterned, settledFile, temporaryDirectory } from './files.ts'
import { drain, open, serve } from './server.ts'

/** More than the sockets between server and client hold. */
const BIG = 32 * 1024 * 1024

type Answer = (directory: string) => Koa.Middleware[]

const overStatic: Answer = (directory) => [rangeStream(), serveStatic(directory)]
const overContent: Answer = (directory) => [
  async (ctx) => {
    const content = await fileContent(ctx.path, { root: directory })
    if (content !== null) await serveContent(ctx, content)
  },
]

async function bigFile(answer: Answer) {
  const directory = await temporaryDirectory()
  const bytes = patterned(BIG)
  const path = await settledFile(directory, 'clip.mp4', bytes)
  return { bytes, path, server: await serve(...answer(directory)) }
}

const ways: readonly (readonly [string, Answer])[] = [
  ['rangeStream over koa-static', overStatic],
  ['fileContent', overContent],
]

async function read(response: Awaited<ReturnType<typeof open>>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe.each(ways)('a file that changes while %s sends it', (_way, answer) => {
  it.each([
    ['all of it is sent', {}],
    ['one range is sent', { range: 'bytes=1-' }],
    ['several ranges are sent', { range: `bytes=0-9,20-${BIG - 1}` }],
    ['a later part has not been opened', { range: `bytes=20-${BIG - 1},0-9` }],
  ])('destroys the connection when it is truncated while %s', async (_what, headers) => {
    const { path, server } = await bigFile(answer)
    const response = await open(server, { path: '/clip.mp4', headers })
    await truncate(path, 1000)
    await expect(drain(response)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(server.errors.length).toBeGreaterThan(0)
  })

  it('is sent at its planned length when it grows', async () => {
    const { bytes, path, server } = await bigFile(answer)
    const response = await open(server, { path: '/clip.mp4' })
    await appendFile(path, Buffer.alloc(100_000, 'x'))
    expect((await read(response)).equals(bytes)).toBe(true)
    expect(response.headers['content-length']).toBe(`${BIG}`)
  })

  it('is sent at its planned range when it grows', async () => {
    const { bytes, path, server } = await bigFile(answer)
    const response = await open(server, { path: '/clip.mp4', headers: { range: 'bytes=5-' } })
    await appendFile(path, Buffer.alloc(100_000, 'x'))
    expect((await read(response)).equals(bytes.subarray(5))).toBe(true)
  })

  it.each<[string, (path: string) => Promise<unknown>]>([
    ['deleted', (path) => unlink(path)],
    ['replaced', (path) => writeFile(`${path}.new`, 'other').then(() => rename(`${path}.new`, path))],
  ])('goes on with the old bytes when it is %s', async (_what, change) => {
    const { bytes, path, server } = await bigFile(answer)
    const response = await open(server, { path: '/clip.mp4' })
    await change(path)
    expect((await read(response)).equals(bytes)).toBe(true)
  })

  it('sends later parts of the old bytes when it is replaced before them', async () => {
    const { bytes, path, server } = await bigFile(answer)
    const response = await open(server, { path: '/clip.mp4', headers: { range: `bytes=20-${BIG - 1},0-9` } })
    await writeFile(`${path}.new`, patterned(BIG).reverse())
    await rename(`${path}.new`, path)
    const parts = readMultipart(response.headers['content-type'], await read(response))
    expect(Buffer.from(parts[0]?.body ?? '', 'latin1').equals(bytes.subarray(20))).toBe(true)
    expect(Buffer.from(parts[1]?.body ?? '', 'latin1').equals(bytes.subarray(0, 10))).toBe(true)
  })

  it('sends several long ranges to the byte when nothing changes', async () => {
    const { bytes, server } = await bigFile(answer)
    const headers = { range: 'bytes=1000000-1199999,5-300000' }
    const response = await open(server, { path: '/clip.mp4', headers })
    const parts = readMultipart(response.headers['content-type'], await read(response))
    const [first, second] = [bytes.subarray(1_000_000, 1_200_000), bytes.subarray(5, 300_001)]
    expect(parts.map(({ body }) => body.length)).toEqual([first.length, second.length])
    expect(Buffer.from(parts[0]?.body ?? '', 'latin1').equals(first)).toBe(true)
    expect(Buffer.from(parts[1]?.body ?? '', 'latin1').equals(second)).toBe(true)
  })
})
