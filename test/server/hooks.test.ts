import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createApp, loadConfig } from 'koa-range-server'
import type { UploadHooks } from 'koa-resumable-upload'
import type { UploadStore } from 'upload-store'
import { describe, expect, it, vi } from 'vitest'
import { formWith, listenOn } from '../support/app.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { openTestStore } from '../support/test-store.mjs'

async function start(hooks: UploadHooks): Promise<{ url: string; store: UploadStore; errors: Error[] }> {
  const directory = join(await temporaryDirectory(), 'data')
  const config = loadConfig(['--log-level', 'silent', '--accept', '*/*', '--data', directory], {})
  const store = openTestStore(directory)
  const app = createApp(config, store, { hooks })
  const errors: Error[] = []
  app.on('error', (error: Error) => errors.push(error))
  return { url: await listenOn(app), store, errors }
}

/** Each kind of upload, with the name `clip.mp4`. */
const KINDS: Readonly<Record<string, (url: string, content: string) => Promise<Response>>> = {
  form: (url, content) =>
    fetch(`${url}/video`, { method: 'POST', body: formWith('file', 'clip.mp4', content) }),
  PUT: (url, content) => fetch(`${url}/videos/clip.mp4`, { method: 'PUT', body: content }),
  'PUT by the draft': (url, content) =>
    fetch(`${url}/videos/clip.mp4`, {
      method: 'PUT',
      headers: { 'Upload-Complete': '?1', 'Content-Type': 'video/mp4' },
      body: content,
    }),
  'POST by the draft': (url, content) =>
    fetch(`${url}/uploads`, {
      method: 'POST',
      headers: { 'Upload-Complete': '?1', 'Content-Disposition': 'attachment; filename="clip.mp4"' },
      body: content,
    }),
  tus: (url, content) =>
    fetch(`${url}/files`, {
      method: 'POST',
      headers: {
        'Tus-Resumable': '1.0.0',
        'Upload-Length': String(content.length),
        'Upload-Metadata': `filename ${btoa('clip.mp4')}`,
        'Content-Type': 'application/offset+octet-stream',
      },
      body: content,
    }),
}

/** A scanner that reads the file from its standard input and exits with 1 if it contains EICAR. */
const SCANNER =
  "let t='';process.stdin.on('data',c=>t+=c).on('end',()=>process.exit(t.includes('EICAR')?1:0))"

async function isInfected(content: AsyncIterable<Uint8Array>): Promise<boolean> {
  const scanner = spawn(process.execPath, ['-e', SCANNER], { stdio: ['pipe', 'ignore', 'inherit'] })
  const ended = once(scanner, 'exit')
  await pipeline(content, scanner.stdin)
  return (await ended)[0] === 1
}

describe.each(Object.entries(KINDS))('hooks of an upload by %s', (_, send) => {
  it('rename the object, keep metadata with it, and see it before and after the commit', async () => {
    const onCommitted = vi.fn()
    const { url, store } = await start({
      onCreate: (_ctx, { key }) => ({ key: `ann-${key}`, metadata: { user: 'ann', rating: 5 } }),
      onComplete: async (_ctx, { key, size, digest, metadata, stream }) => {
        let length = 0
        for await (const chunk of await stream()) length += chunk.length
        expect([key, size, digest.length, metadata, length]).toEqual([
          'ann-clip.mp4',
          5,
          64,
          { user: 'ann', rating: 5 },
          5,
        ])
        expect(await store.get(key)).toBeNull()
      },
      onCommitted,
    })
    const response = await send(url, 'hello')
    expect(response.status).toBe(201)
    const object = await store.get('ann-clip.mp4')
    expect(object?.metadata).toEqual({ user: 'ann', rating: 5 })
    expect(await store.get('clip.mp4')).toBeNull()
    expect(onCommitted).toHaveBeenCalledOnce()
    expect(onCommitted.mock.calls[0]?.[1]).toMatchObject({ key: 'ann-clip.mp4', size: 5 })
    expect(onCommitted.mock.calls[0]?.[2]).toEqual({ user: 'ann', rating: 5 })
    const { items } = await (await fetch(`${url}/videos`)).json()
    expect(items[0].metadata).toEqual({ user: 'ann', rating: 5 })
  })

  it('refuse it before its content is stored', async () => {
    const { url, store } = await start({ onCreate: (ctx) => ctx.throw(403, 'Not today.') })
    const response = await send(url, 'hello')
    expect([response.status, (await response.json()).detail]).toEqual([403, 'Not today.'])
    expect(await store.list()).toMatchObject({ items: [] })
    expect(await store.listUploads()).toEqual([])
  })

  it('refuse it after a scan of its content by another process', async () => {
    const { url, store } = await start({
      onComplete: async (ctx, { stream }) => {
        if (await isInfected(await stream())) ctx.throw(422, 'The file is infected.')
      },
    })
    const response = await send(url, 'an EICAR test')
    expect([response.status, (await response.json()).detail]).toEqual([422, 'The file is infected.'])
    expect(await store.list()).toMatchObject({ items: [] })
    expect(await store.listUploads()).toEqual([])
    expect((await send(url, 'harmless')).status).toBe(201)
  })

  it('do no harm if they fail after the commit', async () => {
    const { url, store, errors } = await start({
      onCommitted: () => Promise.reject(new Error('no database')),
    })
    expect((await send(url, 'hello')).status).toBe(201)
    expect((await store.get('clip.mp4'))?.size).toBe(5)
    expect(errors.map(({ message }) => message)).toEqual(['no database'])
  })
})

describe('hooks of a PUT', () => {
  it.each(['PUT', 'PUT by the draft'])('rename before %s evaluates its preconditions', async (kind) => {
    const { url, store } = await start({ onCreate: (_ctx, { key }) => ({ key: `ann-${key}` }) })
    await KINDS[kind]?.(url, 'one')
    const { etag = '' } = (await store.get('ann-clip.mp4')) ?? {}
    const put = (headers: Record<string, string>) =>
      fetch(`${url}/videos/clip.mp4`, {
        method: 'PUT',
        headers: { ...(kind === 'PUT' ? {} : { 'Upload-Complete': '?1' }), ...headers },
        body: 'two',
      })
    expect((await put({ 'If-None-Match': '*' })).status).toBe(412)
    expect((await put({ 'If-Match': '"other"' })).status).toBe(412)
    expect((await put({ 'If-Match': etag })).status).toBe(200)
  })
})
