import Koa from 'koa'
import { resumableUpload, tusUpload, type UploadHooks } from 'koa-resumable-upload'
import { describe, expect, it } from 'vitest'
import { serve } from '../support/app.ts'
import { send, storeOf, textOf } from './client.ts'
import { VERSION } from './tus-client.ts'

/** Sends `content` as one upload by each protocol, under the key `name`. */
const PROTOCOLS = {
  draft: (url: string, name: string, content: string) =>
    send(url, 'POST', `/draft/${name}`, { 'Upload-Complete': '?1' }, content),
  tus: (url: string, name: string, content: string) =>
    send(
      url,
      'POST',
      '/files',
      {
        ...VERSION,
        'Content-Type': 'application/offset+octet-stream',
        'Upload-Length': String(content.length),
        'Upload-Metadata': `filename ${btoa(name)}`,
      },
      content,
    ),
}

async function start(hooks: UploadHooks) {
  const store = await storeOf('memory')
  const app = new Koa()
  const errors: Error[] = []
  app.on('error', (error: Error) => errors.push(error))
  const resolveTarget = ({ path }: Koa.Context) => ({ key: path.split('/').at(-1) ?? '' })
  app.use(tusUpload(store, hooks))
  app.use(resumableUpload(store, { resolveTarget, ...hooks }))
  return { store, url: await serve(app.callback()), errors }
}

describe.each(['draft', 'tus'] as const)('hooks of an upload by %s', (protocol) => {
  const upload = PROTOCOLS[protocol]

  it('are called in order, with what is known of the upload', async () => {
    const calls: unknown[] = []
    const { url, store } = await start({
      onCreate: async (_ctx, { key, length }) => {
        calls.push(['onCreate', key, length])
        return { key: `ann-${key}`, type: 'text/plain', metadata: { user: 'ann' } }
      },
      onComplete: async (_ctx, { key, metadata, size, type, digest }) => {
        calls.push(['onComplete', key, metadata['user'], size, type, digest.length])
        calls.push(await store.get(key))
      },
      onCommitted: (_ctx, object, metadata) => {
        calls.push(['onCommitted', object.key, metadata['user']])
      },
    })
    expect((await upload(url, 'a', 'hello')).status).toBe(201)
    expect(calls).toEqual([
      ['onCreate', 'a', 5],
      ['onComplete', 'ann-a', 'ann', 5, 'text/plain', 64],
      null,
      ['onCommitted', 'ann-a', 'ann'],
    ])
    expect(await textOf(store, 'ann-a')).toBe('hello')
  })

  it('onCreate refuses an upload before anything is stored', async () => {
    const { url, store } = await start({ onCreate: (ctx) => ctx.throw(403, 'Not today.') })
    const refused = await upload(url, 'a', 'hello')
    expect([refused.status, JSON.parse(refused.body).detail]).toEqual([403, 'Not today.'])
    expect((await store.sweep()).paused).toBe(0)
  })

  it('onComplete refuses an upload for good: no object is visible, and its bytes are removed', async () => {
    const { url, store } = await start({ onComplete: (ctx) => ctx.throw(422, 'It has a virus.') })
    const refused = await upload(url, 'a', 'hello')
    expect([refused.status, JSON.parse(refused.body).detail]).toEqual([422, 'It has a virus.'])
    expect([await store.get('a'), (await store.sweep()).paused]).toEqual([null, 0])
  })

  it('onCommitted fails without harm to the upload, and its error is emitted on the app', async () => {
    const { url, store, errors } = await start({
      onCommitted: () => Promise.reject(new Error('no database')),
    })
    expect((await upload(url, 'a', 'hello')).status).toBe(201)
    expect(errors.map(({ message }) => message)).toEqual(['no database'])
    expect(await textOf(store, 'a')).toBe('hello')
  })
})
