import { describe, expect, it } from 'vitest'
import { appending, send, startUploads, storeOf, textOf } from './client.ts'

const version = (number: number) => ({ 'Upload-Draft-Interop-Version': String(number) })

describe('interop version 3', () => {
  it('says Upload-Incomplete, and its opposite', async () => {
    const store = await storeOf('memory')
    const url = await startUploads(store)
    const creation = await send(url, 'POST', '/files/a', { ...version(3), 'Upload-Incomplete': '?1' }, 'hel')
    expect([creation.status, creation.headers.get('upload-incomplete')]).toEqual([201, '?1'])
    expect(creation.interim[0]?.headers.get('upload-draft-interop-version')).toBe('3')
    const path = creation.headers.get('location') ?? ''
    const fields = { ...version(3), 'Upload-Offset': '3', 'Upload-Incomplete': '?0' }
    const last = await send(url, 'PATCH', path, fields, 'lo')
    expect([last.status, last.headers.get('upload-incomplete')]).toEqual([201, '?0'])
    expect(await textOf(store, 'a')).toBe('hello')
  })
})

describe('up to interop version 6', () => {
  it.each([5, 6])('the length completes an upload whose last append says ?0 (%d)', async (number) => {
    const store = await storeOf('memory')
    const url = await startUploads(store)
    const fields = { ...version(number), 'Upload-Complete': '?0', 'Upload-Length': '5' }
    const path = (await send(url, 'POST', '/files/a', fields)).headers.get('location') ?? ''
    const append = { ...version(number), ...appending(0, '?0') }
    const last = await send(url, 'PATCH', path, append, 'hello')
    expect([last.status, last.headers.get('upload-complete'), last.headers.get('upload-offset')]).toEqual([
      201,
      '?1',
      '5',
    ])
    expect(await textOf(store, 'a')).toBe('hello')
  })

  it('an empty file is complete with its creation, whose Location is the upload', async () => {
    const store = await storeOf('memory')
    const url = await startUploads(store, {
      respond: (ctx, { key }) => {
        ctx.body = key
        ctx.status = 201
        ctx.set('Location', `/show/${key}`)
      },
    })
    const fields = { ...version(6), 'Upload-Complete': '?0', 'Upload-Length': '0' }
    const { status, headers } = await send(url, 'POST', '/files/a', fields)
    expect([status, headers.get('upload-complete'), headers.get('content-location')]).toEqual([
      201,
      '?1',
      '/show/a',
    ])
    expect(await textOf(store, 'a')).toBe('')
    const head = await send(url, 'HEAD', headers.get('location') ?? '', version(6))
    expect([head.status, head.headers.get('upload-offset'), head.headers.get('content-location')]).toEqual([
      204,
      '0',
      '/show/a',
    ])
  })

  it('a HEAD that finds all bytes publishes them first', async () => {
    const store = await storeOf('fs')
    const url = await startUploads(store)
    // As a process leaves it that is killed before the commit.
    const session = await store.createUpload('a', { metadata: { 'upload.length': 5 } })
    await session.append(0, new Blob(['hello']).stream())
    await session.pause()
    const head = await send(url, 'HEAD', `/uploads/${session.id}`, version(6))
    expect([head.status, head.headers.get('upload-offset'), head.headers.get('upload-complete')]).toEqual([
      204,
      '5',
      '?1',
    ])
    expect(await textOf(store, 'a')).toBe('hello')
  })

  it('a missing Upload-Complete is that of the last append', async () => {
    const store = await storeOf('memory')
    const url = await startUploads(store)
    const creation = await send(url, 'POST', '/files/a', { ...version(6), 'Upload-Complete': '?0' }, 'hello')
    const { 'Upload-Complete': _, ...fields } = appending(5, '?1') as Record<string, string>
    const last = await send(
      url,
      'PATCH',
      creation.headers.get('location') ?? '',
      { ...version(6), ...fields, 'Upload-Length': '5' },
      '',
    )
    expect([last.status, last.headers.get('upload-complete')]).toEqual([201, '?1'])
  })

  it('the life of an upload is called expires (6)', async () => {
    const url = await startUploads(await storeOf('memory'))
    const { headers } = await send(url, 'POST', '/files/a', { ...version(6), 'Upload-Complete': '?0' }, 'x')
    expect(headers.get('upload-limit')).toMatch(/, expires=\d+$/)
  })

  it('asking for the offset with one is refused (5)', async () => {
    const url = await startUploads(await storeOf('memory'))
    const { headers } = await send(url, 'POST', '/files/a', { ...version(5), 'Upload-Complete': '?0' }, 'x')
    const fields = { ...version(5), 'Upload-Offset': '1' }
    expect((await send(url, 'HEAD', headers.get('location') ?? '', fields)).status).toBe(400)
  })
})

describe('from interop version 7 on', () => {
  it.each([7, 10])('only ?1 completes (%d)', async (number) => {
    const store = await storeOf('memory')
    const url = await startUploads(store)
    const fields = { ...version(number), 'Upload-Complete': '?0', 'Upload-Length': '5' }
    const creation = await send(url, 'POST', '/files/a', fields, 'hello')
    const path = creation.headers.get('location') ?? ''
    expect((await send(url, 'HEAD', path, version(number))).headers.get('upload-complete')).toBe('?0')
    expect(await textOf(store, 'a')).toBe(null)
    const last = await send(url, 'PATCH', path, { ...version(number), ...appending(5, '?1') }, '')
    expect([last.status, await textOf(store, 'a')]).toEqual([201, 'hello'])
  })
})
