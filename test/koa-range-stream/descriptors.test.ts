import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import conditional from 'koa-conditional-get'
import { fileContent, rangeStream, serveContent } from 'koa-range-stream'
import serveStatic from 'koa-static'
import { describe, expect, it } from 'vitest'
import { openDescriptors, settledFile, temporaryDirectory } from './files.ts'
import { type Ask, ask, drain, open, type Server, serve } from './server.ts'

/** More than the sockets between server and client hold. */
const SIZE = 32 * 1024 * 1024

const KINDS: readonly Ask[] = [
  { headers: { range: 'bytes=0-99' } },
  { headers: { range: 'bytes=-100' } },
  { headers: { range: 'bytes=0-99,1000-1099,5000-5099' } },
  { headers: { 'if-none-match': '*' } },
  { headers: { 'if-match': '"x"' } },
  { headers: { range: `bytes=${SIZE}-` } },
  { method: 'HEAD' },
]

const ABORTS: readonly Ask[] = [
  {},
  { headers: { range: 'bytes=1000-' } },
  { headers: { range: `bytes=0-${SIZE / 2},${SIZE / 2 + 2}-` } },
]

/** One request in ten is left before its end, right away or after a while. */
async function mixedRequest(server: Server, path: string, index: number): Promise<void> {
  if (index % 3 !== 0) {
    await ask(server, { path, ...KINDS[index % KINDS.length] })
    return
  }
  const response = await open(server, { path, ...ABORTS[(index / 3) % ABORTS.length] })
  if (index % 2 === 0) await delay(2)
  response.destroy()
}

async function directoryWithClip(): Promise<string> {
  const directory = await temporaryDirectory()
  const path = await settledFile(directory, 'clip.mp4', '')
  await truncate(path, SIZE)
  return directory
}

async function manyRequests(server: Server): Promise<void> {
  for (let first = 0; first < 200; first += 20) {
    const batch = Array.from({ length: 20 }, (_, index) => mixedRequest(server, '/clip.mp4', first + index))
    await Promise.all(batch)
  }
}

describe('open descriptors', () => {
  it('are one while a response is under way, none when the client has gone away', async () => {
    const directory = await directoryWithClip()
    const server = await serve(conditional(), rangeStream(), serveStatic(directory))
    const response = await open(server, { path: '/clip.mp4', headers: { range: 'bytes=1-' } })
    // koa-static's own is opened and closed meanwhile.
    await delay(200)
    expect(await openDescriptors(directory)).toBe(1)
    response.destroy()
    await expect.poll(() => openDescriptors(directory), { timeout: 10_000 }).toBe(0)
  })

  it('do not leak after 200 mixed requests through koa-static', async () => {
    const directory = await directoryWithClip()
    await manyRequests(await serve(conditional(), rangeStream(), serveStatic(directory)))
    await expect.poll(() => openDescriptors(directory), { timeout: 10_000 }).toBe(0)
  })

  it('do not leak after 200 mixed requests through fileContent, with and without koa-conditional-get', async () => {
    const directory = await directoryWithClip()
    const server = await serve(
      (ctx, next) => (ctx.get('if-match') === '' ? conditional()(ctx, next) : next()),
      async (ctx) => {
        const content = await fileContent(ctx.path, { root: directory })
        if (content !== null) await serveContent(ctx, content)
      },
    )
    await manyRequests(server)
    await expect.poll(() => openDescriptors(directory), { timeout: 10_000 }).toBe(0)
  })

  it('do not leak after a file could not be sent to its end', async () => {
    const directory = await directoryWithClip()
    const server = await serve(rangeStream(), serveStatic(directory))
    const response = await open(server, { path: '/clip.mp4' })
    await truncate(join(directory, 'clip.mp4'), 0)
    await expect(drain(response)).rejects.toThrow()
    await expect.poll(() => openDescriptors(directory), { timeout: 10_000 }).toBe(0)
  })

  it('do not leak when the app fails after serveContent', async () => {
    const directory = await directoryWithClip()
    const server = await serve(async (ctx) => {
      const content = await fileContent('clip.mp4', { root: directory })
      if (content !== null) await serveContent(ctx, content)
      throw new Error('late')
    })
    expect((await ask(server, { headers: { range: 'bytes=0-9' } })).status).toBe(500)
    expect((await ask(server, { headers: { range: 'bytes=0-9,20-29' } })).status).toBe(500)
    await expect.poll(() => openDescriptors(directory), { timeout: 10_000 }).toBe(0)
  })

  it('do not leak when the file changed before it was opened', async () => {
    const directory = await directoryWithClip()
    const content = await fileContent('clip.mp4', { root: directory })
    await writeFile(join(directory, 'clip.mp4'), 'other')
    await expect(content?.stream()).rejects.toMatchObject({ code: 'CONTENT_CHANGED' })
    expect(await openDescriptors(directory)).toBe(0)
  })

  it('do not leak after a stream was destroyed in the middle of a read', async () => {
    const directory = await directoryWithClip()
    const content = await fileContent('clip.mp4', { root: directory })
    const stream = await content?.stream()
    if (stream === undefined || !('destroy' in stream)) throw new Error('No stream')
    stream.read(0)
    stream.destroy()
    await expect.poll(() => openDescriptors(directory), { timeout: 10_000 }).toBe(0)
  })
})
