import type { UploadStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { send, storeOf, textOf } from './client.ts'
import { append, begin, create, look, metadata, startTus, VERSION } from './tus-client.ts'

const PARTIAL = { 'Upload-Concat': 'partial', 'Upload-Metadata': '' }

/** Creates complete parts with the given contents, and returns their paths. */
async function parts(url: string, ...contents: readonly string[]): Promise<string[]> {
  return Promise.all(
    contents.map(async (content) => {
      const length = { 'Upload-Length': String(content.length) }
      const { status, headers } = await create(url, { ...PARTIAL, ...length }, content)
      expect([status, headers.get('upload-offset')]).toEqual([201, String(content.length)])
      return headers.get('location') ?? ''
    }),
  )
}

function final(url: string, paths: readonly string[], fields: Readonly<Record<string, string>> = {}) {
  return create(url, { 'Upload-Concat': `final;${paths.join(' ')}`, ...fields })
}

async function paused(store: UploadStore): Promise<number> {
  return (await store.sweep()).paused
}

describe.each(['memory', 'fs'] as const)('tus "Concatenation" over the %s store', (kind) => {
  it('MUST put the parts together in the order of the list, and keeps nothing but the object', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const paths = await parts(url, 'one ', 'two ', 'three')
    expect(await store.list()).toMatchObject({ items: [] })
    const answer = await final(url, paths)
    expect([answer.status, answer.headers.get('location'), answer.headers.get('upload-offset')]).toEqual([
      201,
      paths[0],
      '13',
    ])
    expect(await textOf(store, 'a')).toBe('one two three')
    expect(await paused(store)).toBe(0)
  })

  it('MUST repeat Upload-Concat in responses to HEAD, of a part and of the final upload', async () => {
    const url = await startTus(await storeOf(kind))
    const paths = await parts(url, 'one ', 'two')
    const part = await send(url, 'HEAD', paths[1] ?? '', VERSION)
    expect([part.headers.get('upload-concat'), part.headers.get('upload-offset')]).toEqual(['partial', '3'])
    await final(url, paths)
    const { headers } = await send(url, 'HEAD', paths[0] ?? '', VERSION)
    expect([
      headers.get('upload-concat'),
      headers.get('upload-offset'),
      headers.get('upload-length'),
    ]).toEqual([`final;${paths.join(' ')}`, '7', '7'])
  })

  it('accepts absolute URLs of parts', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const paths = await parts(url, 'one ', 'two')
    expect(
      (
        await final(
          url,
          paths.map((path) => `https://proxy.example${path}`),
        )
      ).status,
    ).toBe(201)
    expect(await textOf(store, 'a')).toBe('one two')
  })

  it('MUST answer PATCH of a final upload with 403', async () => {
    const url = await startTus(await storeOf(kind))
    const paths = await parts(url, 'one ', 'two')
    await final(url, paths)
    expect((await append(url, paths[0] ?? '', 7, 'more')).status).toBe(403)
  })

  it('answers a repeated final request with the same Location, and stores the object once', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const paths = await parts(url, 'one ', 'two')
    await final(url, paths)
    await store.delete('a')
    const again = await final(url, paths)
    expect([again.status, again.headers.get('location')]).toEqual([201, paths[0]])
    expect(await store.get('a')).toBe(null)
  })

  it('shows all parts as complete to a client that has lost the response, and gives it the same Location', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const paths = await parts(url, 'one ', 'two ', 'three')
    await final(url, paths)
    expect(await look(url, paths[1] ?? '')).toEqual([200, '4', '4'])
    expect(await look(url, paths[2] ?? '')).toEqual([200, '5', '5'])
    const again = await final(url, paths)
    expect([again.status, again.headers.get('location')]).toEqual([201, paths[0]])
    expect(await textOf(store, 'a')).toBe('one two three')
    expect(await paused(store)).toBe(0)
  })

  it('puts a part into one upload only', async () => {
    const url = await startTus(await storeOf(kind))
    const [first = '', second = ''] = await parts(url, 'one ', 'two ')
    await final(url, [first, second])
    for (const paths of [[second, first], [second], [first]]) {
      expect((await final(url, paths)).status).toBe(400)
    }
  })

  it('forgets a part by DELETE, and leaves the object', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const paths = await parts(url, 'one ', 'two')
    await final(url, paths)
    expect((await send(url, 'DELETE', paths[1] ?? '', VERSION)).status).toBe(204)
    expect((await look(url, paths[1] ?? ''))[0]).toBe(404)
    expect(await textOf(store, 'a')).toBe('one two')
  })

  it('refuses parts that are incomplete, unknown, no parts, or named twice', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const [first = '', second = ''] = await parts(url, 'one ', 'two')
    const incomplete = await begin(url, 5, PARTIAL)
    const whole = await begin(url, 5)
    const unknown = `/files/${'a'.repeat(22)}`
    const refused = [
      [first, incomplete],
      [first, whole],
      [whole, first],
      [first, first],
      [first, '/other/x'],
      [first, '//[', second],
      Array.from({ length: 200 }, () => first),
    ]
    for (const paths of refused) {
      const { status, body } = await final(url, paths)
      expect([status, body]).toEqual([400, expect.stringMatching(/part/)])
    }
    expect((await final(url, [first, unknown])).status).toBe(404)
    expect((await final(url, [first, second], { 'Upload-Length': '7' })).status).toBe(400)
    expect((await create(url, { 'Upload-Concat': 'whole' })).status).toBe(400)
    expect(await store.get('a')).toBe(null)
    expect((await final(url, [first, second])).status).toBe(201)
  })

  it('does not publish a part, whichever length it has', async () => {
    const store = await storeOf(kind)
    const url = await startTus(store)
    const path = await begin(url, 0, PARTIAL)
    const deferred = await begin(url, 'deferred', PARTIAL)
    expect((await append(url, deferred, 0, 'one', { 'Upload-Length': '3' })).status).toBe(204)
    expect(await look(url, deferred)).toEqual([200, '3', '3'])
    expect((await append(url, deferred, 3, '')).status).toBe(204)
    expect((await append(url, deferred, 3, 'x')).status).toBe(413)
    expect(await store.list()).toMatchObject({ items: [] })
    expect((await final(url, [path, deferred])).status).toBe(201)
    expect(await textOf(store, 'a')).toBe('one')
  })

  it('checks type, length and rights for the final upload only, and asks for each part', async () => {
    const store = await storeOf(kind, { accept: ['video/*'] })
    const asked: string[] = []
    const url = await startTus(store, {
      maxSize: 10,
      partMetadata: () => ({ user: 'ann' }),
      resolveTarget: (_ctx, { metadata: { filename }, length }) => {
        asked.push(`${filename} ${length}`)
        return { key: 'a', type: filename === 'b' ? 'text/plain' : 'video/mp4' }
      },
      authorize: (ctx, action, { metadata: { user } }) => {
        if (action === 'concatenate' && user !== ctx.get('X-User')) ctx.throw(403, 'Another user.')
      },
    })
    const paths = await parts(url, 'one ', 'two')
    expect(asked).toEqual([])
    expect((await final(url, paths)).status).toBe(403)
    expect(asked).toEqual([])
    const long = await final(url, [...paths, ...(await parts(url, '12345'))], { 'X-User': 'ann' })
    expect(long.status).toBe(413)
    expect((await final(url, paths, { 'X-User': 'ann' })).status).toBe(201)
    expect(asked).toEqual(['a 7'])
    const others = await parts(url, 'one ', 'two')
    const wrong = await final(url, others, { 'X-User': 'ann', ...metadata({ filename: 'b' }) })
    expect(wrong.status).toBe(415)
    expect((await look(url, others[0] ?? ''))[0]).toBe(404)
  })
})
