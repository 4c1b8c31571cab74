import Koa from 'koa'
import { createMemoryStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { formReceiver } from '../../apps/server/dist/routes/post-video.js'
import { listenOn } from '../support/app.ts'

describe('form fields that no handler uses', () => {
  it('are accepted beside the file, before and after it, and not kept', async () => {
    const store = createMemoryStore()
    const receive = formReceiver(store, 1000, {})
    const app = new Koa()
    app.use(async (ctx) => {
      const {
        file: { size, session },
      } = await receive(ctx)
      await session.commit()
      ctx.body = {
        size,
        fields: Reflect.get(ctx.request, 'body'),
        request: Object.keys(ctx.req).includes('body'),
      }
    })
    const form = new FormData()
    for (const name of ['title', 'tags[]', 'tags[]', 'nested[name]']) form.append(name, 'x'.repeat(10_000))
    form.append('file', new Blob(['hello']), 'a.mp4')
    form.append('last', 'x')
    const response = await fetch(await listenOn(app), { method: 'POST', body: form })
    expect(await response.json()).toEqual({ size: 5, fields: {}, request: false })
    expect(await store.get('a.mp4')).toMatchObject({ size: 5 })
  })

  it('are still limited in number and size', async () => {
    const receive = formReceiver(createMemoryStore(), 1_000_000, {})
    const app = new Koa().use(async (ctx) => void (await receive(ctx)))
    const codes: unknown[] = []
    app.on('error', ({ code }) => codes.push(code))
    const url = await listenOn(app)
    for (const [count, size] of [[21, 1] as const, [1, 65 * 1024] as const]) {
      const form = new FormData()
      for (let at = 0; at < count; at++) form.append(`field-${at}`, 'x'.repeat(size))
      form.append('file', new Blob(['hello']), 'a.mp4')
      await fetch(url, { method: 'POST', body: form })
    }
    expect(codes).toEqual(['LIMIT_FIELD_COUNT', 'LIMIT_FIELD_VALUE'])
  })
})
