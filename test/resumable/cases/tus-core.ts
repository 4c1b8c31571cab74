import { expect } from 'vitest'
import { content } from '../requests.ts'
import { must, ours, should, type Theme } from '../suite.ts'
import { createUpload, expectOffset, head, options, patch, TUS } from '../tus-requests.ts'

const UNKNOWN = '/tus/AAAAAAAAAAAAAAAAAAAAAA'

export const TUS_CORE: Theme = {
  name: 'tus 1.0, core protocol',
  options: { maxSize: 100_000 },
  cases: [
    must('Tus-Resumable', 'is in every response, also in refusals', async (the) => {
      const path = await createUpload(the, 10)
      const requests = [
        head(path),
        head(UNKNOWN),
        patch(path, 5, content(5)),
        patch(path, 0, content(10)),
        options(),
      ]
      for (const request of requests) {
        expect((await the.send(request)).fields['tus-resumable']).toBe('1.0.0')
      }
    }),
    must(
      'Tus-Resumable',
      'answers another version, or none, with 412 and Tus-Version, and changes nothing',
      async (the) => {
        const path = await createUpload(the, 10)
        for (const version of [{ 'Tus-Resumable': '0.2.2' }, {}]) {
          const { 'Tus-Resumable': _, ...fields } = patch(path, 0, content(10)).fields ?? {}
          const answer = await the.send({ ...patch(path, 0, content(10)), fields: { ...fields, ...version } })
          expect(answer).toMatchObject({ status: 412, fields: { 'tus-version': '1.0.0' } })
        }
        await expectOffset(the, path, 0)
      },
    ),
    must(
      'X-HTTP-Method-Override',
      'takes the method from the field, whatever the request line says',
      async (the) => {
        const path = await createUpload(the, 5)
        const override = (method: string) => ({ 'X-HTTP-Method-Override': method })
        const appended = await the.send({ ...patch(path, 0, content(5), override('PATCH')), method: 'POST' })
        expect(appended).toMatchObject({ status: 204, fields: { 'upload-offset': '5' } })
        const asked = await the.send({ method: 'POST', path, fields: { ...TUS, ...override('head') } })
        expect(asked).toMatchObject({ status: 200, fields: { 'upload-offset': '5' } })
        const deleted = await the.send({ method: 'POST', path, fields: { ...TUS, ...override('DELETE') } })
        expect(deleted.status).toBe(204)
      },
    ),
    must(
      'HEAD',
      'has Upload-Offset at offset 0, in the middle and at the end, and Upload-Length',
      async (the) => {
        const path = await createUpload(the, 10)
        for (const [offset, size] of [
          [0, 4],
          [4, 6],
          [10, 0],
        ] as const) {
          expect((await expectOffset(the, path, offset)).fields['upload-length']).toBe('10')
          await the.send(patch(path, offset, content(size)))
        }
      },
    ),
    must('HEAD', 'has Cache-Control: no-store', async (the) => {
      const path = await createUpload(the, 10)
      expect((await the.send(head(path))).fields['cache-control']).toBe('no-store')
    }),
    should('HEAD', 'answers 404 without Upload-Offset for an unknown upload', async (the) => {
      const answer = await the.send(head(UNKNOWN))
      expect([answer.status, answer.fields['upload-offset']]).toEqual([404, undefined])
    }),
    must(
      'PATCH',
      'answers 204 with the new offset, which is the sum of the old one and the content',
      async (the) => {
        const path = await createUpload(the, 1000)
        expect(await the.send(patch(path, 0, content(400)))).toMatchObject({
          status: 204,
          fields: { 'upload-offset': '400' },
        })
        expect(await the.send(patch(path, 400, content(600)))).toMatchObject({
          status: 204,
          fields: { 'upload-offset': '1000' },
        })
      },
    ),
    must('PATCH', 'answers another offset with 409, and changes nothing', async (the) => {
      const path = await createUpload(the, 100)
      await the.send(patch(path, 0, content(10)))
      for (const offset of [0, 9, 11])
        expect((await the.send(patch(path, offset, content(5)))).status).toBe(409)
      await expectOffset(the, path, 10)
      await the.expectStored(null)
    }),
    should('PATCH', 'answers another media type with 415', async (the) => {
      const path = await createUpload(the, 10)
      const fields = { 'Content-Type': 'application/octet-stream' }
      expect((await the.send(patch(path, 0, content(10), fields))).status).toBe(415)
      await expectOffset(the, path, 0)
    }),
    should('PATCH', 'answers 404 for an unknown upload', async (the) => {
      expect((await the.send(patch(UNKNOWN, 0, content(5)))).status).toBe(404)
    }),
    should('PATCH', 'stores what arrived of a request that was cut off', async (the) => {
      const path = await createUpload(the, 10_000)
      const exchange = the.open({ ...patch(path, 0, content(0)), announced: 10_000 })
      exchange.write(content(6000))
      await the.accepted(path, 6000)
      exchange.cut()
      await the.ended(path)
      await expectOffset(the, path, 6000)
    }),
    must(
      'Upload-Offset, Upload-Length',
      'answers a value that is no number of bytes with 400',
      async (the) => {
        const path = await createUpload(the, 10)
        for (const offset of ['-1', '1.5', '0x1', 'a', '1e3', '9'.repeat(16)]) {
          expect([offset, (await the.send(patch(path, offset, content(5)))).status]).toEqual([offset, 400])
        }
        await expectOffset(the, path, 0)
      },
    ),
    must('OPTIONS', 'has Tus-Version, and ignores Tus-Resumable of the request', async (the) => {
      const answer = await the.send({ ...options(), fields: { 'Tus-Resumable': '9.9.9' } })
      expect(answer).toMatchObject({ status: 204, fields: { 'tus-version': '1.0.0' } })
    }),
    should('Tus-Max-Size', 'announces the limit of an upload', async (the) => {
      expect((await the.send(options())).fields['tus-max-size']).toBe('100000')
    }),
    must('Tus-Extension', 'lists the extensions, separated by commas', async (the) => {
      expect((await the.send(options())).fields['tus-extension']?.split(',').sort()).toEqual([
        'checksum',
        'checksum-trailer',
        'concatenation',
        'creation',
        'creation-defer-length',
        'creation-with-upload',
        'expiration',
        'termination',
      ])
    }),
    ours(
      'PATCH',
      'refuses content past the end by its length, and in content of unknown length',
      async (the) => {
        const path = await createUpload(the, 10)
        expect((await the.send(patch(path, 0, content(11)))).status).toBe(413)
        await expectOffset(the, path, 0)
        const unknown = { ...patch(path, 0, content(11)), announced: null }
        expect((await the.send(unknown)).status).toBe(413)
        await the.expectStored(null)
      },
    ),
    ours(
      'PATCH',
      'repeats its response to an empty request at the end, and stores the object once',
      async (the) => {
        const path = await createUpload(the, 10)
        const bytes = content(10)
        await the.send(patch(path, 0, bytes))
        expect(await the.send(patch(path, 10, content(0)))).toMatchObject({
          status: 204,
          fields: { 'upload-offset': '10' },
        })
        await the.expectStored(bytes)
      },
    ),
    ours('PATCH', 'stops the request that still appends to the upload', async (the) => {
      const path = await createUpload(the, 10_000)
      const stalled = the.open({ ...patch(path, 0, content(0)), announced: 10_000 })
      stalled.write(content(5000))
      await the.accepted(path, 5000)
      await expectOffset(the, path, 5000)
      const status = (await stalled.outcome)?.status ?? 0
      expect(status >= 200 && status < 300).toBe(false)
    }),
  ],
}
