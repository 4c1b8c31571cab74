import { expect } from 'vitest'
import { content } from '../requests.ts'
import { must, ours, should, type Theme } from '../suite.ts'
import { createUpload, creation, expectOffset, head, named, OFFSET_STREAM, patch } from '../tus-requests.ts'

export const TUS_CREATION: Theme = {
  name: 'tus 1.0, creation',
  options: { maxSize: 100_000 },
  cases: [
    must('Creation', 'answers 201 with the URL of the upload in Location', async (the) => {
      const answer = await the.send(creation({ 'Upload-Length': '10', ...named(the.key) }))
      expect(answer).toMatchObject({
        status: 201,
        fields: { location: expect.stringMatching(/^\/tus\/[\w-]{22}$/) },
      })
    }),
    must('Creation', 'answers a length above the limit with 413', async (the) => {
      expect((await the.send(creation({ 'Upload-Length': '100001' }))).status).toBe(413)
    }),
    must(
      'Creation',
      'repeats Upload-Metadata in responses to HEAD as the client has sent it',
      async (the) => {
        const field = `filename ${Buffer.from(the.key).toString('base64')},is_confidential,empty `
        const path = await createUpload(the, 10, { 'Upload-Metadata': field.trim() })
        expect((await the.send(head(path))).fields['upload-metadata']).toBe(field.trim())
      },
    ),
    must('Upload-Metadata', 'answers malformed pairs and repeated names with 400', async (the) => {
      for (const field of ['a b c', 'a !!', ',', 'a YQ==,a Yg==', 'a YQ==,,b Yg==']) {
        const answer = await the.send(creation({ 'Upload-Length': '10', 'Upload-Metadata': field }))
        expect([field, answer.status]).toEqual([field, 400])
      }
    }),
    ours('Upload-Metadata', 'takes __proto__ for a name like others', async (the) => {
      const path = await createUpload(the, 1, {
        'Upload-Metadata': `__proto__ YQ==,${named(the.key)['Upload-Metadata']}`,
      })
      await the.send(patch(path, 0, content(1)))
      expect(await the.stored()).toHaveLength(1)
    }),
    must(
      'Creation',
      'answers a request with neither Upload-Length nor Upload-Defer-Length, or both, with 400',
      async (the) => {
        expect((await the.send(creation(named(the.key)))).status).toBe(400)
        const both = { 'Upload-Length': '10', 'Upload-Defer-Length': '1' }
        expect((await the.send(creation({ ...both, ...named(the.key) }))).status).toBe(400)
      },
    ),
    should('Upload-Defer-Length', 'answers another value than 1 with 400', async (the) => {
      for (const value of ['0', 'true', '1,1']) {
        expect((await the.send(creation({ 'Upload-Defer-Length': value }))).status).toBe(400)
      }
    }),
    must('Upload-Defer-Length', 'is in responses to HEAD until the length is known', async (the) => {
      const path = await createUpload(the, null)
      expect((await expectOffset(the, path, 0)).fields).toMatchObject({ 'upload-defer-length': '1' })
      await the.send(patch(path, 0, content(5), { 'Upload-Length': '10' }))
      const { fields } = await expectOffset(the, path, 5)
      expect([fields['upload-defer-length'], fields['upload-length']]).toEqual([undefined, '10'])
    }),
    must('Upload-Defer-Length', 'refuses another length once the length is known', async (the) => {
      const path = await createUpload(the, null)
      const bytes = content(10)
      const length = (value: string) => ({ 'Upload-Length': value })
      await the.send(patch(path, 0, bytes.subarray(0, 5), length('10')))
      const rest = bytes.subarray(5)
      expect((await the.send(patch(path, 5, rest, length('11')))).status).toBe(400)
      expect((await the.send(patch(path, 5, rest, length('10')))).status).toBe(204)
      await the.expectStored(bytes)
    }),
    must('Creation With Upload', 'has the offset after the content in Upload-Offset', async (the) => {
      const part = await the.send(creation({ 'Upload-Length': '10', ...named(the.key) }, content(4)))
      expect(part).toMatchObject({ status: 201, fields: { 'upload-offset': '4' } })
      await expectOffset(the, part.fields['location'] ?? '', 4)
    }),
    must('Creation With Upload', 'stores the object if the content is complete', async (the) => {
      const bytes = content(1000)
      const whole = await the.send(creation({ 'Upload-Length': '1000', ...named(the.key) }, bytes))
      expect(whole).toMatchObject({ status: 201, fields: { 'upload-offset': '1000' } })
      await the.expectStored(bytes)
    }),
    must('Creation With Upload', 'answers content of another media type with 415', async (the) => {
      const fields = { 'Upload-Length': '10', 'Content-Type': 'video/mp4', ...named(the.key) }
      expect((await the.send(creation(fields, content(10)))).status).toBe(415)
      await the.expectStored(null)
    }),
    ours(
      'Creation With Upload',
      'asks for content only after it has accepted the header section',
      async (the) => {
        const fields = { ...OFFSET_STREAM, Expect: '100-continue', ...named(the.key) }
        const refused = the.open({
          ...creation({ 'Upload-Length': '100001', ...fields }),
          announced: 100_001,
        })
        expect(await refused.outcome).toMatchObject({ status: 413, interims: [] })
        const accepted = the.open({ ...creation({ 'Upload-Length': '5', ...fields }), announced: 5 })
        expect(await accepted.interim(({ status }) => status === 100)).not.toBeNull()
        accepted.write(content(5))
        accepted.end()
        expect((await accepted.outcome)?.status).toBe(201)
      },
    ),
    ours('Creation', 'stores an upload of no bytes at once', async (the) => {
      await createUpload(the, 0)
      await the.expectStored(Buffer.alloc(0))
    }),
  ],
}
