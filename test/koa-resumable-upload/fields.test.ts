import fc from 'fast-check'
import { createMemoryStore } from 'upload-store'
import { describe, expect, it } from 'vitest'
import { appendTo, begin, send, startUploads } from './client.ts'

/** Texts that are no Integer of 0 and more (RFC 9651 §3.3.1). */
const noInteger = fc.oneof(
  fc.integer({ min: 0 }).map((number) => `${number}.0`),
  fc.integer({ min: 1 }).map((number) => `-${number}`),
  fc.integer({ min: 0 }).map((number) => `"${number}"`),
  fc.integer({ min: 0 }).map((number) => `${number}, ${number}`),
  fc.constantFrom('', '?1', '0x3', '3;', '1e3', '+3', '1234567890123456', ':AA==:', 'three'),
)

const noBoolean = fc.constantFrom('', 'true', '1', '?2', '?', '?01', '"?1"', '?1, ?1', '?T')

describe('fields', () => {
  it('that are no Integer of 0 and more are ignored', async () => {
    const url = await startUploads(createMemoryStore())
    const path = await begin(url, 'hel')
    await fc.assert(
      fc.asyncProperty(noInteger, async (text) => {
        const { status, headers } = await appendTo(url, path, 3, 'lo', { 'Upload-Offset': text })
        expect([status, headers.get('upload-offset')]).toEqual([400, '3'])
      }),
      { numRuns: 40 },
    )
  })

  it('of an Upload-Length that are no Integer leave the length open', async () => {
    const url = await startUploads(createMemoryStore())
    await fc.assert(
      fc.asyncProperty(noInteger, async (text) => {
        const path = await begin(url, 'hel', { 'Upload-Length': text })
        expect((await send(url, 'HEAD', path)).headers.has('upload-length')).toBe(false)
      }),
      { numRuns: 40 },
    )
  })

  it('that are no Boolean make no upload', async () => {
    const url = await startUploads(createMemoryStore())
    await fc.assert(
      fc.asyncProperty(noBoolean, async (text) => {
        expect((await send(url, 'POST', '/files/a', { 'Upload-Complete': text }, 'x')).status).toBe(299)
      }),
      { numRuns: 20 },
    )
  })

  it.each(['3', '03', '3;a=1.5', ' 3 '])('read %j as 3', async (text) => {
    const url = await startUploads(createMemoryStore())
    const path = await begin(url, 'hel')
    expect((await appendTo(url, path, 3, 'lo', { 'Upload-Offset': text })).status).toBe(201)
  })

  it('cut content at any offsets into the same object', async () => {
    const text = 'the quick brown fox jumps over the lazy dog'
    const store = createMemoryStore()
    const url = await startUploads(store)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 6 }),
        fc.boolean(),
        async (cuts, lengthKnown) => {
          const offsets = [0, ...cuts.sort((a, b) => a - b), text.length]
          const path = await begin(url, '', lengthKnown ? { 'Upload-Length': String(text.length) } : {})
          for (const [index, start] of offsets.slice(0, -1).entries()) {
            const last = index === offsets.length - 2
            const fields = { 'Upload-Complete': last ? '?1' : '?0' }
            const answer = await appendTo(url, path, start, text.slice(start, offsets[index + 1]), fields)
            expect(answer.status).toBe(last ? 201 : 204)
          }
          expect((await store.get('a'))?.size).toBe(text.length)
        },
      ),
      { numRuns: 25 },
    )
  })
})
