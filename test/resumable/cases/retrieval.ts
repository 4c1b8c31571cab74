import { expect } from 'vitest'
import { SUCCESS } from '../problem.ts'
import { append, content, NEWEST, NOTHING, retrieval } from '../requests.ts'
import { type Context, must, ours, should, type Theme } from '../suite.ts'

/** A HEAD and a GET of it. */
async function both(the: Context, path: string) {
  return [
    await the.send(retrieval(path, NEWEST, 'HEAD')),
    await the.send(retrieval(path, NEWEST, 'GET')),
  ] as const
}

export const RETRIEVAL: Theme = {
  name: 'offset retrieval',
  cases: [
    must('4.3.2', 'answers HEAD and GET by 2xx with the Upload-Offset', async (the) => {
      const path = await the.begin({ body: content(1234) })
      for (const answer of await both(the, path))
        expect(answer).toMatchObject({ status: SUCCESS, fields: { 'upload-offset': '1234' } })
    }),
    ours('4.3.2', 'answers 204, as earlier versions demand', async (the) => {
      const path = await the.begin({ body: content(1234) })
      for (const { status } of await both(the, path)) expect(status).toBe(204)
    }),
    must('4.3.2', 'tells Upload-Complete: ?0 of an upload that goes on', async (the) => {
      const path = await the.begin({ body: content(1234) })
      for (const { fields } of await both(the, path)) expect(fields['upload-complete']).toBe('?0')
    }),
    must('4.3.2', 'tells Upload-Complete: ?1 and all of the offset of a complete one', async (the) => {
      const path = await the.uploaded(content(1234))
      for (const { fields } of await both(the, path))
        expect(fields).toMatchObject({ 'upload-complete': '?1', 'upload-offset': '1234' })
    }),
    must('4.3.2', 'tells the Upload-Length where it knows it', async (the) => {
      const path = await the.begin({ length: 9999 })
      for (const { fields } of await both(the, path)) expect(fields['upload-length']).toBe('9999')
    }),
    ours('4.3.2', 'tells no Upload-Length that it does not know', async (the) => {
      const path = await the.begin()
      for (const { fields } of await both(the, path)) expect(fields['upload-length']).toBeUndefined()
    }),
    ours('4.3.2', 'knows the length of a complete upload', async (the) => {
      const path = await the.uploaded(content(77))
      for (const { fields } of await both(the, path)) expect(fields['upload-length']).toBe('77')
    }),
    must('4.3.2', 'tells the Upload-Limit', async (the) => {
      const path = await the.begin()
      for (const { fields } of await both(the, path)) expect(fields['upload-limit']).toMatch(/=\d/)
    }),
    must('4.3.2', 'tells the Upload-Limit of a complete upload', async (the) => {
      const path = await the.uploaded(content(77))
      for (const { fields } of await both(the, path)) expect(fields['upload-limit']).toMatch(/=\d/)
    }),
    should('4.3.2', 'forbids to store the answer', async (the) => {
      const path = await the.begin()
      for (const { fields } of await both(the, path)) expect(fields['cache-control']).toMatch(/\bno-store\b/)
    }),
    should('4.3.2', 'forbids to store the answer of a complete upload', async (the) => {
      const path = await the.uploaded(content(77))
      for (const { fields } of await both(the, path)) expect(fields['cache-control']).toMatch(/\bno-store\b/)
    }),
    must('4.1.1', 'never goes back: asked between appends, the offset is that of the last', async (the) => {
      const path = await the.begin()
      for (let offset = 0; offset < 3000; offset += 500) {
        expect([await the.offsetOf(path), await the.offsetOf(path)]).toEqual([offset, offset])
        await the.send(append(path, { offset, body: content(500), complete: false }))
      }
    }),
    must('4.6', 'accepts the announced offset in the next append', async (the) => {
      const body = content(4000)
      const path = await the.begin({ body: body.subarray(0, 1500) })
      const offset = await the.offsetOf(path)
      const rest = { offset, body: body.subarray(offset), complete: true }
      expect(await the.send(append(path, rest))).toMatchObject({ status: 201 })
      await the.expectStored(body)
    }),
    ours('4.3.1', 'takes no notice of upload fields in a HEAD', async (the) => {
      const path = await the.begin({ body: content(10) })
      const answer = await the.send({
        method: 'HEAD',
        path,
        fields: { 'Upload-Offset': '5', 'Upload-Complete': '?1', 'Upload-Draft-Interop-Version': '9' },
      })
      expect(answer).toMatchObject({
        status: 204,
        fields: { 'upload-offset': '10', 'upload-complete': '?0' },
      })
      await the.expectStored(null)
    }),
    ours('4.3.2', 'answers 404 of an upload that there never was', async (the) => {
      for (const id of [
        'AAAAAAAAAAAAAAAAAAAAAA',
        'x',
        '..%2F..%2Fetc',
        '%00',
        'A'.repeat(300),
        `${the.key}`,
      ]) {
        const { status } = await the.send(retrieval(`/uploads/${id}`))
        expect([id, status]).toEqual([id, expect.toSatisfy((code) => code === 404 || code === 400)])
      }
    }),
    ours('4.3.2', 'sends no content with a GET', async (the) => {
      const path = await the.begin({ body: content(10) })
      expect((await the.send(retrieval(path, NEWEST, 'GET'))).body).toHaveLength(0)
    }),
    must('4.1.2', 'keeps a complete upload complete, however often one asks', async (the) => {
      const path = await the.uploaded(NOTHING)
      for (let time = 0; time < 3; time++) {
        const { fields } = await the.send(retrieval(path))
        expect(fields).toMatchObject({ 'upload-complete': '?1', 'upload-offset': '0' })
      }
    }),
  ],
}
